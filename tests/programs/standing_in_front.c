/* An independent count of what a program asks of malloc: preloaded in front of libmems.so, it counts each call and
 * forwards it. The figures are numbers in a file that COUNT_FILE names, mapped shared, so that they stand whenever
 * and however the process ends. Nothing here allocates.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    MALLOC, CALLOC, REALLOC, REALLOCARRAY, MEMALIGN, ALIGNED_ALLOC, POSIX_MEMALIGN, VALLOC, PVALLOC, NEW, FREE, DELETE,
    FUNCTIONS,
    FREE_NULL = FUNCTIONS, DELETE_NULL, REALLOC_NULL, REALLOC_ZERO,
    ASKED,              /* FUNCTIONS words: bytes, of calls that succeeded */
    FAILED = ASKED + FUNCTIONS,
    WORDS = FAILED + FUNCTIONS
};

static _Atomic unsigned long early[WORDS];
static _Atomic(_Atomic unsigned long *) words = early;

static void start(void) {
    const char *path = getenv("COUNT_FILE");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0 || ftruncate(fd, sizeof early) != 0) {
        abort();
    }
    _Atomic unsigned long *shared = mmap(NULL, sizeof early, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) {
        abort();
    }
    close(fd);
    for (int i = 0; i < WORDS; i++) {
        atomic_fetch_add(&shared[i], atomic_load(&early[i]));
    }
    atomic_store(&words, shared);
}

/* Runs while the process still has one thread; what was counted before is taken over. */
__attribute__((constructor(101))) static void loaded(void) { start(); }

static void add(int word, unsigned long n) { atomic_fetch_add_explicit(&atomic_load(&words)[word], n, memory_order_relaxed); }

static void result(int function, const void *p, size_t size) {
    if (p) {
        add(ASKED + function, size);
    } else {
        add(FAILED + function, 1);
    }
}

#define NEXT(name)                                                                                           \
    static void *cached;                                                                                     \
    void *found = __atomic_load_n(&cached, __ATOMIC_RELAXED);                                                \
    if (!found) {                                                                                            \
        found = dlsym(RTLD_NEXT, name);                                                                      \
        if (!found) {                                                                                        \
            abort();                                                                                         \
        }                                                                                                    \
        __atomic_store_n(&cached, found, __ATOMIC_RELAXED);                                                  \
    }

#define GIVES(index, name, size, parameters, types, arguments)                                               \
    void *name parameters {                                                                                  \
        NEXT(#name)                                                                                          \
        add(index, 1);                                                                                       \
        void *p = ((void *(*)types)found) arguments;                                                         \
        result(index, p, size);                                                                              \
        return p;                                                                                            \
    }

GIVES(MALLOC, malloc, n, (size_t n), (size_t), (n))
GIVES(CALLOC, calloc, a *b, (size_t a, size_t b), (size_t, size_t), (a, b))
GIVES(MEMALIGN, memalign, n, (size_t a, size_t n), (size_t, size_t), (a, n))
GIVES(ALIGNED_ALLOC, aligned_alloc, n, (size_t a, size_t n), (size_t, size_t), (a, n))
GIVES(VALLOC, valloc, n, (size_t n), (size_t), (n))
GIVES(PVALLOC, pvalloc, n, (size_t n), (size_t), (n))
GIVES(NEW, _Znwm, n, (size_t n), (size_t), (n))
GIVES(NEW, _Znam, n, (size_t n), (size_t), (n))
GIVES(NEW, _ZnwmRKSt9nothrow_t, n, (size_t n, const void *t), (size_t, const void *), (n, t))
GIVES(NEW, _ZnamRKSt9nothrow_t, n, (size_t n, const void *t), (size_t, const void *), (n, t))
GIVES(NEW, _ZnwmSt11align_val_t, n, (size_t n, size_t a), (size_t, size_t), (n, a))
GIVES(NEW, _ZnamSt11align_val_t, n, (size_t n, size_t a), (size_t, size_t), (n, a))

void *realloc(void *old, size_t n) {
    NEXT("realloc")
    add(REALLOC, 1);
    add(REALLOC_NULL, old == NULL);
    add(REALLOC_ZERO, old != NULL && n == 0);
    void *p = ((void *(*)(void *, size_t))found)(old, n);
    if (p || !old || n) {
        result(REALLOC, p, n);
    }
    return p;
}

void *reallocarray(void *old, size_t a, size_t b) {
    NEXT("reallocarray")
    add(REALLOCARRAY, 1);
    add(REALLOC_NULL, old == NULL);
    add(REALLOC_ZERO, old != NULL && a * b == 0);
    void *p = ((void *(*)(void *, size_t, size_t))found)(old, a, b);
    if (p || !old || a * b) {
        result(REALLOCARRAY, p, a * b);
    }
    return p;
}

int posix_memalign(void **out, size_t a, size_t n) {
    NEXT("posix_memalign")
    add(POSIX_MEMALIGN, 1);
    int code = ((int (*)(void **, size_t, size_t))found)(out, a, n);
    result(POSIX_MEMALIGN, code ? NULL : out, n);
    return code;
}

#define TAKES(index, null, name, parameters, types, arguments)                                               \
    void name parameters {                                                                                   \
        NEXT(#name)                                                                                          \
        add(index, 1);                                                                                       \
        add(null, p == NULL);                                                                                \
        ((void (*)types)found) arguments;                                                                    \
    }

TAKES(FREE, FREE_NULL, free, (void *p), (void *), (p))
TAKES(DELETE, DELETE_NULL, _ZdlPv, (void *p), (void *), (p))
TAKES(DELETE, DELETE_NULL, _ZdaPv, (void *p), (void *), (p))
TAKES(DELETE, DELETE_NULL, _ZdlPvm, (void *p, size_t n), (void *, size_t), (p, n))
TAKES(DELETE, DELETE_NULL, _ZdaPvm, (void *p, size_t n), (void *, size_t), (p, n))
TAKES(DELETE, DELETE_NULL, _ZdlPvSt11align_val_t, (void *p, size_t a), (void *, size_t), (p, a))
TAKES(DELETE, DELETE_NULL, _ZdaPvSt11align_val_t, (void *p, size_t a), (void *, size_t), (p, a))
TAKES(DELETE, DELETE_NULL, _ZdlPvmSt11align_val_t, (void *p, size_t n, size_t a), (void *, size_t, size_t), (p, n, a))
TAKES(DELETE, DELETE_NULL, _ZdaPvmSt11align_val_t, (void *p, size_t n, size_t a), (void *, size_t, size_t), (p, n, a))
TAKES(DELETE, DELETE_NULL, _ZdlPvRKSt9nothrow_t, (void *p, const void *t), (void *, const void *), (p, t))
TAKES(DELETE, DELETE_NULL, _ZdaPvRKSt9nothrow_t, (void *p, const void *t), (void *, const void *), (p, t))
