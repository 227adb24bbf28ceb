/* Runs one command and notes what the kernel says it cost. Used by every row of the benchmark, so that all are measured alike.
 *
 *   BENCH_PRELOAD  the library to preload under the command; unset or empty: none
 *   BENCH_RESULT   file to which a line is appended: user µs, system µs, wall µs, peak RSS KiB, exit status (128+n: signal n)
 *   BENCH_LIMIT    seconds after which the command is killed (default 120)
 *
 * The figures are wait4's: CPU time of the command and of all descendants it waited for, and the largest peak RSS of any
 * one of them. wait4's peak may be some hundred KiB too low, since Linux (6.2 and later) counts pages by processor and adds
 * up what is left only when asked for it: so the command is stopped once, as it ends (ptrace), and its own peak is read from
 * its status in /proc. It is a small static program because a process's peak RSS starts with what it had before exec: a large
 * starter would hide small commands. Only the command gets the preload, never the scripts around it. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
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

/* Peak RSS of a process that is stopped before its end, in KiB. */
static long peak(pid_t process) {
    char line[256];
    long kib = 0;
    snprintf(line, sizeof line, "/proc/%d/status", (int)process);
    FILE *status = fopen(line, "r");
    if (status == NULL) return 0;
    while (fgets(line, sizeof line, status) != NULL && sscanf(line, "VmHWM: %ld", &kib) != 1)
        ;
    fclose(status);
    return kib;
}

/* Waits for the child's end and sees to its stops: after exec, before its end, and at each signal, which it then gets.
 * Where ptrace is refused there are none, and the peak is wait4's. */
static int wait_for_end(struct rusage *usage, long *largest) {
    for (int status, started = 0;;) {
        if (wait4(child, &status, 0, usage) < 0) {
            if (errno == EINTR) continue;
            return perror("measure: wait4"), exit(2), 2;
        }
        if (!WIFSTOPPED(status)) return status;
        int signal_number = WSTOPSIG(status);
        if (status >> 16 == PTRACE_EVENT_EXIT) {
            *largest = peak(child);
            signal_number = 0;
        } else if (status >> 16 == PTRACE_EVENT_EXEC) {
            signal_number = 0;
        } else if (!started && signal_number == SIGTRAP) {
            started = 1;
            signal_number = 0;
            ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
        }
        ptrace(PTRACE_CONT, child, NULL, (long)signal_number);
    }
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
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    signal(SIGALRM, too_long);
    alarm(limit == NULL ? 120 : (unsigned)atoi(limit));
    struct rusage usage;
    long largest = 0;
    int status = wait_for_end(&usage, &largest);
    if (usage.ru_maxrss > largest) largest = usage.ru_maxrss;
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    FILE *out = fopen(result, "a");
    if (out == NULL) return perror(result), 2;
    fprintf(out, "%lld %lld %lld %ld %d\n", microseconds(usage.ru_utime), microseconds(usage.ru_stime), now() - start,
            largest, code);
    if (fclose(out) != 0) return perror(result), 2;
    return code;
}
