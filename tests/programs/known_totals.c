/* A program that knows what it asks: its calls and bytes are printed at the end, `name calls bytes` a line, followed by
 * `freed N`. Threads (the argument, default 0) do the same work each. Output goes through write, so that the C
 * library asks for nothing of its own.
 */
#include "check.h"
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

enum { MALLOC, CALLOC, REALLOC, REALLOCARRAY, MEMALIGN, ALIGNED_ALLOC, POSIX_MEMALIGN, VALLOC, PVALLOC, KINDS };
static const char *const names[KINDS] = {"malloc",        "calloc",         "realloc", "reallocarray", "memalign",
                                         "aligned_alloc", "posix_memalign", "valloc",  "pvalloc"};
static _Atomic unsigned long calls[KINDS], bytes[KINDS], frees, frees_of_null;
static _Atomic(void *) exchange[64];

static void *give(int kind, size_t size) {
    void *p = NULL;
    switch (kind) {
    case MALLOC: p = malloc(size); break;
    case CALLOC: p = calloc(size, 1); break;
    case REALLOC: p = realloc(NULL, size); break;
    case REALLOCARRAY: p = reallocarray(NULL, 1, size); break;
    case MEMALIGN: p = memalign(64, size); break;
    case ALIGNED_ALLOC: p = aligned_alloc(256, size); break;
    case POSIX_MEMALIGN: CHECK(posix_memalign(&p, 32, size) == 0); break;
    case VALLOC: p = valloc(size); break;
    case PVALLOC: p = pvalloc(size); break;
    }
    CHECK(p != NULL);
    calls[kind]++;
    bytes[kind] += size;
    return p;
}

static void take(void *p) {
    free(p);
    frees++;
    frees_of_null += p == NULL;
}

static void *work(void *arg) {
    uint32_t n = (uint32_t)(uintptr_t)arg * 77 + 1;
    void *held[200] = {0};
    for (int round = 0; round < 60000; round++) {
        n = n * 1664525 + 1013904223;
        unsigned slot = (n >> 8) % 200;
        size_t size = (n >> 16) % ((n & 0x700) ? 300 : 20000);
        int kind = (n & 0x3000) ? MALLOC : (int)((n >> 5) % KINDS);
        if (held[slot] && (n & 0xc000) == 0) {
            held[slot] = realloc(held[slot], size + 1);
            CHECK(held[slot] != NULL);
            calls[REALLOC]++;
            bytes[REALLOC] += size + 1;
        } else if (held[slot] && (n & 0xc000) == 0x4000) {
            /* Another thread frees it. */
            take(atomic_exchange(&exchange[slot % 64], held[slot]));
            held[slot] = NULL;
        } else {
            take(held[slot]);
            held[slot] = give(kind, size);
        }
    }
    for (int i = 0; i < 150; i++) {
        take(held[i]);
    }
    return NULL; /* the last 50 are left behind */
}

static void line(const char *name, unsigned long a, unsigned long b) {
    char text[100];
    size_t at = strlen(name);
    memcpy(text, name, at);
    const unsigned long numbers[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        char digits[24];
        int length = 0;
        unsigned long left = numbers[i];
        do {
            digits[length++] = (char)('0' + left % 10);
        } while (left /= 10);
        text[at++] = ' ';
        while (length > 0) {
            text[at++] = digits[--length];
        }
    }
    text[at++] = '\n';
    CHECK(write(1, text, at) == (ssize_t)at);
}

int main(int argc, char **argv) {
    long threads = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    CHECK(threads <= 64);
    work(NULL);
    /* Two generations, so that some counted threads have ended long before the process does. */
    for (int generation = 0; generation < 2; generation++) {
        pthread_t t[64];
        for (long i = 0; i < threads; i++) {
            CHECK(pthread_create(&t[i], NULL, work, (void *)(i + 1)) == 0);
        }
        for (long i = 0; i < threads; i++) {
            CHECK(pthread_join(t[i], NULL) == 0);
        }
    }
    for (int kind = 0; kind < KINDS; kind++) {
        line(names[kind], calls[kind], bytes[kind]);
    }
    line("free", frees, frees_of_null);
    return 0;
}
