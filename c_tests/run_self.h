/* Runs the test program again as a child with an argument, and keeps what comes out on its stderr: for tests that read
 * a dump. The parent's own dump goes where it always goes.
 */
#ifndef MEMS_RUN_SELF_H
#define MEMS_RUN_SELF_H

#include "check.h"
#include <stdio.h>
#include <sys/wait.h>

struct seen {
    pid_t pid;
    int status;
    size_t length;
    char text[1 << 18];
};

/* Starts the child with stderr in `to`. `set` is NAME=value or NULL. */
static inline pid_t start_self(const char *argument, const char *set, int to) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        if (set) {
            putenv((char *)set);
        }
        CHECK(dup2(to, 2) == 2);
        execl("/proc/self/exe", "self", argument, (char *)NULL);
        _exit(99);
    }
    return child;
}

/* Reads to the end of `from` and adds a NUL. */
static inline void read_all(struct seen *seen, int from) {
    ssize_t got;
    seen->length = 0;
    while ((got = read(from, seen->text + seen->length, sizeof seen->text - 1 - seen->length)) > 0) {
        seen->length += (size_t)got;
    }
    CHECK(got == 0);
    seen->text[seen->length] = 0;
}

/* Runs the child to its end. */
static inline void run_self(struct seen *seen, const char *argument, const char *set) {
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    seen->pid = start_self(argument, set, ends[1]);
    close(ends[1]);
    read_all(seen, ends[0]);
    close(ends[0]);
    CHECK(waitpid(seen->pid, &seen->status, 0) == seen->pid);
}

static inline int ended_with(const struct seen *seen, int code) {
    return WIFEXITED(seen->status) && WEXITSTATUS(seen->status) == code;
}

/* How often `part` occurs. */
static inline int times(const char *text, const char *part) {
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        count++;
        text += strlen(part);
    }
    return count;
}

/* The number behind `"name":` behind the place where `after` is found; -1 when it is not there. */
static inline long long field(const char *text, const char *after, const char *name) {
    char quoted[100];
    text = strstr(text, after);
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    text = text ? strstr(text, quoted) : NULL;
    return text ? strtoll(text + strlen(quoted), NULL, 10) : -1;
}

#endif
