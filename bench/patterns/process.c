/* What an allocator costs at a process's birth: programs started, and a process with a large heap forked. */
#define _GNU_SOURCE
#include "pattern.h"
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void reap(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) fputs("mems-bench-patterns: a child failed\n", stderr), _Exit(1);
}

static void startup(struct job *job) {
    char *arguments[] = {(char *)"true", NULL};
    for (size_t i = scaled(job, 400); i != 0; i--) {
        pid_t child;
        if (posix_spawnp(&child, "true", NULL, NULL, arguments, environ) != 0) perror("true"), _Exit(1);
        reap(child);
        job->ops++;
    }
}

/* 400,000 live blocks; 40 children that each replace some of them (what the parent shares is copied) and exit. */
static void fork_heap(struct job *job) {
    enum { LIVE = 400000 };
    void **blocks = calloc(LIVE, sizeof *blocks);
    for (size_t i = 0; i < LIVE; i++) blocks[i] = take(job, between(job, 16, 256));
    for (size_t i = scaled(job, 40); i != 0; i--) {
        pid_t child = fork();
        if (child < 0) perror("fork"), _Exit(1);
        if (child == 0) {
            for (size_t j = 0; j < 2000; j++) {
                size_t slot = j * 7 + i;
                free(blocks[slot]);
                blocks[slot] = take(job, between(job, 16, 256));
            }
            _exit(0);
        }
        reap(child);
        job->ops += 2000;
    }
    for (size_t i = 0; i < LIVE; i++) free(blocks[i]);
    free(blocks);
}

const struct pattern process_patterns[] = {
    {"startup", "`true` started 400 times", startup, 1},
    {"fork-heap", "a process with 400,000 live blocks forked 40 times", fork_heap, 1},
    {NULL, NULL, NULL, 0},
};
