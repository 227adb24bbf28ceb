/* Runs one command and notes what the kernel says it cost. Used by every row of the benchmark, so that all are measured alike.
 *
 *   BENCH_PRELOAD  the library to preload under the command; unset or empty: none
 *   BENCH_RESULT   file to which a line is appended: user µs, system µs, wall µs, peak RSS KiB, exit status (128+n: signal n)
 *   BENCH_LIMIT    seconds after which the command is killed (default 120)
 *
 * The figures are wait4's: CPU time of the command and of all descendants it waited for, and the largest peak RSS of any
 * one of them. It is a small static program because a process's peak RSS starts with what it had before exec: a large
 * starter would hide small commands. Only the command gets the preload, never the scripts around it. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;

static void too_long(int signal_number) {
    (void)signal_number;
    kill(child, SIGKILL);
}

static long long microseconds(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

int main(int argc, char **argv) {
    const char *preload = getenv("BENCH_PRELOAD"), *result = getenv("BENCH_RESULT"), *limit = getenv("BENCH_LIMIT");
    if (argc < 2 || result == NULL) {
        fputs("usage: BENCH_RESULT=file [BENCH_PRELOAD=library] measure command [argument ...]\n", stderr);
        return 2;
    }
    long long start = now();
    child = fork();
    if (child < 0) return perror("measure: fork"), 2;
    if (child == 0) {
        if (preload != NULL && preload[0] != 0) setenv("LD_PRELOAD", preload, 1);
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    signal(SIGALRM, too_long);
    alarm(limit == NULL ? 120 : (unsigned)atoi(limit));
    int status;
    struct rusage usage;
    while (wait4(child, &status, 0, &usage) < 0)
        if (errno != EINTR) return perror("measure: wait4"), 2;
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    FILE *out = fopen(result, "a");
    if (out == NULL) return perror(result), 2;
    fprintf(out, "%lld %lld %lld %ld %d\n", microseconds(usage.ru_utime), microseconds(usage.ru_stime), now() - start,
            usage.ru_maxrss, code);
    if (fclose(out) != 0) return perror(result), 2;
    return code;
}
