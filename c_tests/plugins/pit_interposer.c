/* Another preloaded interposer: it forwards each call to the next one in the search order and counts. It serves the
 * calls that dlsym itself makes from a small block of its own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static void *(*next_malloc)(size_t), *(*next_calloc)(size_t, size_t), *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);
static char own[65536] __attribute__((aligned(16)));
static size_t used;
static __thread int inside;
unsigned long interposer_calls;

static void *from_own(size_t n) {
    char *p = own + used;
    used += (n + 31) & ~(size_t)15;
    return p;
}

static int is_own(void *p) {
    return (char *)p >= own && (char *)p < own + sizeof own;
}

static int ready(void) {
    if (!next_free) {
        if (inside) {
            return 0;
        }
        inside = 1;
        next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
        next_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
        next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
        next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
        inside = 0;
    }
    interposer_calls++;
    return 1;
}

void *malloc(size_t n) {
    return ready() ? next_malloc(n) : from_own(n);
}

void *calloc(size_t count, size_t n) {
    return ready() ? next_calloc(count, n) : from_own(count * n);
}

void free(void *p) {
    if (ready() && !is_own(p)) {
        next_free(p);
    }
}

void *realloc(void *p, size_t n) {
    if (!ready() || is_own(p)) {
        void *moved = malloc(n);
        if (p && moved) {
            memmove(moved, p, n);
        }
        return moved;
    }
    return next_realloc(p, n);
}
