/* What the pitfall programs share: waiting for children, finding the test libraries, re-starting themselves. */
#ifndef MEMS_PIT_H
#define MEMS_PIT_H

#include "check.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <sys/time.h>

/* The compiler may assume nothing about the block `p` from here on: neither that it is unused nor its size. */
static inline void *opaque(void *p) {
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

/* malloc, calloc and realloc that the compiler cannot reason away or warn about. */
static inline void *get(size_t n) {
    return opaque(malloc(unknown(n)));
}
static inline void *get_zeroed(size_t count, size_t n) {
    return opaque(calloc(unknown(count), unknown(n)));
}
static inline void *resize(void *p, size_t n) {
    return opaque(realloc(opaque(p), unknown(n)));
}

/* Waits for the child; its status as waitpid gives it, -1 when there is no such child. */
static inline int wait_for(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return status;
}

/* The child ended by itself with code 0. */
static inline int ended_well(pid_t pid) {
    int status = wait_for(pid);
    return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The path of the plugin c_tests/plugins/NAME.c, which is built as NAME.so beside the programs. */
static inline const char *library(const char *name) {
    static __thread char path[4200];
    snprintf(path, sizeof path, "%s", own_path());
    *strrchr(path, '/') = 0;
    size_t n = strlen(path);
    snprintf(path + n, sizeof path - n, "/%s.so", name);
    return path;
}

/* Seconds of the monotonic clock. */
static inline double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A small random number generator; its state is the caller's. */
static inline unsigned long next_random(unsigned long *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Allocates, writes, resizes and frees `rounds` blocks of mixed sizes; every block is checked to be its own. */
static inline void exercise(unsigned long seed, int rounds) {
    struct {
        unsigned char *at;
        size_t size;
        unsigned char mark;
    } live[16];
    unsigned long state = seed * 2654435761UL + 88172645463325252UL;
    memset(live, 0, sizeof live);
    for (int i = 0; i < rounds; i++) {
        unsigned long r = next_random(&state);
        unsigned slot = r % 16;
        size_t size = (r >> 8) % ((r >> 4) % 16 ? 700 : 40000) + 1;
        unsigned char mark = (unsigned char)(r >> 32);
        if (live[slot].at) {
            CHECK(live[slot].at[0] == live[slot].mark);
            CHECK(live[slot].at[live[slot].size - 1] == live[slot].mark);
        }
        if (live[slot].at && (r >> 40) % 4 == 0) {
            unsigned char *moved = (unsigned char *)resize(live[slot].at, size);
            CHECK(moved != NULL);
            CHECK(moved[0] == live[slot].mark);
            live[slot].at = moved;
        } else {
            free(live[slot].at);
            live[slot].at = (unsigned char *)((r >> 44) % 4 == 0 ? get_zeroed(1, size) : get(size));
            CHECK(live[slot].at != NULL);
        }
        live[slot].at[0] = mark;
        live[slot].at[size - 1] = mark;
        live[slot].size = size;
        live[slot].mark = mark;
    }
    for (int i = 0; i < 16; i++) {
        free(live[i].at);
    }
}

#endif
