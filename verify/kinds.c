/* One kind of heap misuse with blocks of one size: kinds KIND SIZE. Prints NOT CAUGHT where the program got away with it;
 * anything else (a message and abort, a fault, a block that was out of reach) is caught. `kinds` alone lists the kinds.
 *
 * The kinds are those of the security programs that come with mimalloc-bench, and the way of judging is theirs; the code
 * is not. scripts/kinds.sh runs all of them under several allocators.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t size;
static unsigned char global_bytes[4096] __attribute__((aligned(64)));

/* The compiler may assume nothing about `p` from here on. */
static void *opaque(void *p) {
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}
static unsigned char *get(size_t n) {
    unsigned char *p = opaque(malloc((size_t)opaque((void *)n)));
    if (!p) {
        exit(3);
    }
    return p;
}
static void put(void *p) {
    free(opaque(p));
}
static void many(int rounds) {
    for (int i = 0; i < rounds; i++) {
        put(get(size));
    }
}
/* Other values than before in [at, at + n): the program may not write what is there already. */
static void spoil(unsigned char *at, size_t n) {
    at = opaque(at);
    for (size_t i = 0; i < n; i++) {
        ((volatile unsigned char *)at)[i] ^= 0x41;
    }
}
static int all_zero(const unsigned char *at, size_t n) {
    at = opaque((void *)at);
    for (size_t i = 0; i < n; i++) {
        if (at[i]) {
            return 0;
        }
    }
    return 1;
}

/* Each returns 1 where it got away with it. */
static int past(size_t n) {
    unsigned char *p = get(size);
    spoil(p + size, n);
    put(p);
    return 1;
}
static int before(size_t n) {
    unsigned char *p = get(size);
    spoil(p - n, n);
    put(p);
    return 1;
}
static int overflow_1(void) { return past(1); }
static int overflow_32(void) { return past(32); }
static int overflow_1m(void) { return past(1 << 20); }
static int underflow_1(void) { return before(1); }
static int underflow_32(void) { return before(32); }
static int underflow_1m(void) { return before(1 << 20); }

static int double_free(void) {
    unsigned char *p = get(size);
    put(p);
    put(p);
    return 1;
}
static int double_free_delayed(void) {
    unsigned char *p = get(size), *others[64];
    put(p);
    for (int i = 0; i < 64; i++) {
        others[i] = get(size + 64);
    }
    put(p);
    for (int i = 0; i < 64; i++) {
        put(others[i]);
    }
    return 1;
}
static int double_free_interleaved(void) {
    unsigned char *p = get(size), *q = get(size);
    put(p);
    put(q);
    put(p);
    return 1;
}
static int double_free_reused(void) {
    unsigned char *p = get(size);
    put(p);
    unsigned char *q = get(size);
    put(p);
    (void)opaque(q);
    return 1;
}
static int double_free_much_later(void) {
    unsigned char *p = get(size);
    put(p);
    many(100000);
    put(p);
    return 1;
}

static int free_at(long offset) {
    put(get(size) + offset);
    return 1;
}
static int free_next_byte(void) { return free_at(1); }
static int free_next_16(void) { return free_at(16); }
static int free_middle(void) { return free_at((long)(size / 2 & ~(size_t)7) + 8); }
static int free_before(void) { return free_at(-16); }
static int free_far(void) { return free_at(1L << 40); }
static int free_stack(void) {
    unsigned char here[512] __attribute__((aligned(64)));
    memset(here, 0, sizeof here);
    /* What glibc would take for a header: a size of the block's class. */
    *(size_t *)(opaque(here + 56)) = (size + 31) & ~(size_t)15;
    put(here + 64);
    return 1;
}
static int free_static(void) {
    put(global_bytes + 64);
    return 1;
}
static int free_mapping(void) {
    unsigned char *p = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    put(p + 64);
    return 1;
}
static int realloc_freed(void) {
    unsigned char *p = get(size);
    put(p);
    return opaque(realloc(opaque(p), size * 2)) != NULL;
}
static int realloc_inner(void) {
    unsigned char *p = get(size);
    return opaque(realloc(opaque(p + 8), size * 2)) != NULL;
}

static int write_after_free(void) {
    unsigned char *p = get(size);
    put(p);
    spoil(p, size);
    put(get(size));
    return 1;
}
static int write_after_free_reused(void) {
    unsigned char *p = get(size);
    put(p);
    spoil(p, size);
    many(100000);
    return 1;
}
/* What a stale pointer reads. */
static int zero_after_free(void) {
    unsigned char *p = get(size);
    memset(p, 0x41, size);
    (void)opaque(p);
    put(p);
    return !all_zero(p, size);
}
/* What a new block shows of an old one. */
static int zero_on_malloc(void) {
    for (int i = 0; i < 300; i++) {
        unsigned char *p = get(size);
        if (!all_zero(p, size)) {
            return 1;
        }
        memset(p, 0x41, size);
        (void)opaque(p);
        put(p);
    }
    return 0;
}
static int reuse_malloc(void) {
    unsigned char *p = get(size);
    put(p);
    return get(size) == p;
}
static int reuse_smaller(void) {
    unsigned char *p = get(size);
    put(p);
    return get(size - 1) == p;
}
static int reuse_realloc(void) {
    unsigned char *p = get(size);
    unsigned char *q = opaque(realloc(opaque(p), size * 40));
    return q && q != p && get(size) == p;
}
static int size_mismatch(void) {
    /* A block that its owner believes to be twice as long. */
    unsigned char *p = get(size), *q = get(size);
    memset(p, 0x41, size * 2);
    (void)opaque(p);
    put(q);
    put(p);
    return 1;
}

/* Without a size. */
static int read_zero_size(void) {
    unsigned char *p = get(0);
    (void)*(volatile unsigned char *)p;
    return 1;
}
static int write_zero_size(void) {
    unsigned char *p = get(0);
    *(volatile unsigned char *)p = 1;
    return 1;
}
static int executable_heap(void) {
    unsigned char *p = get(4096);
    p[0] = 0xc3;
    ((void (*)(void))opaque(p))();
    return 1;
}
static int impossible_size(void) {
    return opaque(malloc((size_t)opaque((void *)(SIZE_MAX - 8192)))) != NULL ||
           opaque(calloc((size_t)opaque((void *)(SIZE_MAX / 2)), 4)) != NULL;
}

static const struct {
    const char *name;
    int (*run)(void);
    int sized;
} kinds[] = {
#define SIZED(name) {#name, name, 1}
    SIZED(overflow_1),
    SIZED(overflow_32),
    SIZED(overflow_1m),
    SIZED(underflow_1),
    SIZED(underflow_32),
    SIZED(underflow_1m),
    SIZED(size_mismatch),
    SIZED(double_free),
    SIZED(double_free_delayed),
    SIZED(double_free_interleaved),
    SIZED(double_free_reused),
    SIZED(double_free_much_later),
    SIZED(free_next_byte),
    SIZED(free_next_16),
    SIZED(free_middle),
    SIZED(free_before),
    SIZED(free_far),
    SIZED(free_stack),
    SIZED(free_static),
    SIZED(free_mapping),
    SIZED(realloc_freed),
    SIZED(realloc_inner),
    SIZED(write_after_free),
    SIZED(write_after_free_reused),
    SIZED(zero_after_free),
    SIZED(zero_on_malloc),
    SIZED(reuse_malloc),
    SIZED(reuse_smaller),
    SIZED(reuse_realloc),
    {"read_zero_size", read_zero_size, 0},
    {"write_zero_size", write_zero_size, 0},
    {"executable_heap", executable_heap, 0},
    {"impossible_size", impossible_size, 0},
};

int main(int argc, char **argv) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (argc < 2) {
            printf("%s %s\n", kinds[i].name, kinds[i].sized ? "sized" : "unsized");
        } else if (strcmp(argv[1], kinds[i].name) == 0) {
            size = argc > 2 ? strtoul(argv[2], NULL, 10) : 64;
            if (kinds[i].run()) {
                static const char word[] = "NOT CAUGHT\n";
                if (write(1, word, sizeof word - 1) < 0) {
                    return 4;
                }
            }
            _exit(0);
        }
    }
    return argc < 2 ? 0 : 2;
}
