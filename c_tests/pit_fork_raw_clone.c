/* what: children made by the raw system calls, which run no fork handler, use the heap, also beside other threads.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"
#include <sched.h>
#include <sys/syscall.h>

static int shares(void *p) {
    *(char **)p = strdup("from the clone");
    exercise(8, 100);
    return 0;
}

static void *waits(void *pipe_end) {
    char x;
    (void)!read(*(int *)pipe_end, &x, 1);
    return NULL;
}

int main(void) {
    int hold[2];
    pthread_t t;
    CHECK(pipe(hold) == 0);
    CHECK(pthread_create(&t, NULL, waits, &hold[0]) == 0);
    for (int i = 0; i < 60; i++) {
        void *p = get(500);
        pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        CHECK(child >= 0);
        if (child == 0) {
            free(p);
            exercise((unsigned long)i, 500);
            if (i % 2) {
                exit(0);
            }
            _exit(0);
        }
        CHECK(ended_well(child));
        free(p);
        exercise((unsigned long)i, 100);
    }
    /* Shares the memory as a vfork child does, on a stack of its own; the parent sleeps meanwhile. */
    for (int i = 0; i < 30; i++) {
        char *stack = get(64 << 10), *text = NULL;
        pid_t child = clone(shares, stack + (64 << 10), CLONE_VM | CLONE_VFORK | SIGCHLD, &text);
        CHECK(child > 0 && ended_well(child));
        CHECK(text && strcmp(text, "from the clone") == 0);
        free(text);
        free(stack);
    }
    CHECK(write(hold[1], "x", 1) == 1);
    CHECK(pthread_join(t, NULL) == 0);
    return 0;
}
