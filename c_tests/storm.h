/* Threads that allocate by ever new call stacks, short-lived threads, forks from a thread, and signals whose handlers
 * allocate and fork, all at once. */
#ifndef MEMS_STORM_H
#define MEMS_STORM_H

#include "pit.h"

#define STORM_WORKERS 3
#define STORM_DEPTH 16

static pthread_t storm_worker[STORM_WORKERS];
static double storm_end;
/* Every so many signals of a thread a fork; 0: none. */
static unsigned storm_forks_every;
static unsigned long storm_children;

/* Two functions that call each other by the bits of `way`: so many call stacks to one malloc. */
__attribute__((noinline)) static void *storm_right(unsigned long way, int depth, size_t n);
__attribute__((noinline)) static void *storm_left(unsigned long way, int depth, size_t n) {
    void *p = depth == 0 ? malloc(n) : way & 1 ? storm_left(way >> 1, depth - 1, n) : storm_right(way >> 1, depth - 1, n);
    return opaque(p);
}
static void *storm_right(unsigned long way, int depth, size_t n) {
    void *p = depth == 0 ? malloc(n) : way & 1 ? storm_left(way >> 1, depth - 1, n) : storm_right(way >> 1, depth - 1, n);
    return opaque(p);
}

/* Gets, checks and frees a few blocks. */
static void storm_use(unsigned long *state) {
    unsigned char *p[6];
    for (int i = 0; i < 6; i++) {
        size_t n = next_random(state) % (i == 0 ? 60000 : 2000) + 1;
        p[i] = (unsigned char *)storm_left(next_random(state), STORM_DEPTH, n);
        CHECK(p[i]);
        p[i][0] = p[i][n - 1] = (unsigned char)i;
    }
    for (int i = 0; i < 6; i++) {
        CHECK(p[i][0] == i);
        free(p[i]);
    }
}

static void storm_fork(unsigned long way) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(40);
        for (int i = 0; i < 8; i++) {
            storm_use(&way);
        }
        _exit(0);
    }
    CHECK(ended_well(child));
    __atomic_add_fetch(&storm_children, 1, __ATOMIC_RELAXED);
}

static void storm_handler(int signal) {
    (void)signal;
    static __thread unsigned long state, came;
    static __thread int inside;
    int had = errno;
    if (state == 0) {
        state = (unsigned long)&state;
    }
    storm_use(&state);
    if (storm_forks_every && ++came % storm_forks_every == 0 && !inside) {
        inside = 1;
        storm_fork(state);
        inside = 0;
    }
    errno = had;
}

static void *storm_works(void *number) {
    unsigned long state = (unsigned long)number * 7919 + 11;
    while (seconds() < storm_end) {
        storm_use(&state);
    }
    /* Its handlers end before it does. */
    sigset_t all;
    CHECK(sigfillset(&all) == 0 && pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
    return NULL;
}

static void *storm_lives_shortly(void *number) {
    unsigned long state = (unsigned long)number * 104729 + 5;
    storm_use(&state);
    return NULL;
}

static void *storm_bears(void *none) {
    for (unsigned long i = 0; seconds() < storm_end; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, storm_lives_shortly, (void *)i) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    return none;
}

static void *storm_forks(void *none) {
    do {
        storm_fork(storm_children + 3);
    } while (seconds() < storm_end);
    return none;
}

static void *storm_shoots(void *none) {
    for (unsigned i = 0; seconds() < storm_end - 0.2; i++) {
        pthread_kill(storm_worker[i % STORM_WORKERS], SIGUSR1);
        for (volatile int pause = 0; pause < 2000; pause++) {
        }
    }
    return none;
}

static void storm(double length, unsigned forks_every) {
    static void *(*const others[])(void *) = {storm_bears, storm_forks, storm_shoots};
    pthread_t other[3];
    storm_forks_every = forks_every;
    storm_end = seconds() + length;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = storm_handler;
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    for (long i = 0; i < STORM_WORKERS; i++) {
        CHECK(pthread_create(&storm_worker[i], NULL, storm_works, (void *)i) == 0);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&other[i], NULL, others[i], NULL) == 0);
    }
    for (int i = 0; i < STORM_WORKERS; i++) {
        CHECK(pthread_join(storm_worker[i], NULL) == 0);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_join(other[i], NULL) == 0);
    }
    CHECK(storm_children > 0);
}

#endif
