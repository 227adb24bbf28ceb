/* What the files of mems-bench-patterns share: the row type, the job a thread gets, random numbers, touching of blocks. */
#ifndef PATTERN_H
#define PATTERN_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* One thread's part of a row. `work` scales the amount (1 = about 0.2 s a thread under glibc 2.36 on a 2.6 GHz core). */
struct job {
    double work;
    unsigned thread, threads;
    uint64_t seed;
    uint64_t ops; /* blocks this thread has allocated: an operation is one allocation with its free */
};

struct pattern {
    const char *name, *what;
    void (*run)(struct job *);
    int alone; /* 1: the row runs once, on the main thread, and starts threads itself if it wants any */
};

extern const struct pattern small_patterns[], growth_patterns[], exchange_patterns[], phase_patterns[], process_patterns[];

/* xorshift64*: the same sequence on every machine, a few cycles a number. */
static inline uint64_t next(struct job *job) {
    uint64_t x = job->seed;
    x ^= x >> 12, x ^= x << 25, x ^= x >> 27;
    job->seed = x;
    return x * 0x2545F4914F6CDD1DULL;
}

static inline size_t below(struct job *job, size_t bound) { return (size_t)(((next(job) >> 32) * (uint64_t)bound) >> 32); }

static inline size_t between(struct job *job, size_t low, size_t high) { return low + below(job, high - low + 1); }

/* Small sizes are common and large ones rare: uniform within a power of two that is itself chosen uniformly. */
static inline size_t skewed(struct job *job, unsigned low_bit, unsigned high_bit) {
    size_t base = (size_t)1 << (low_bit + below(job, high_bit - low_bit));
    return base + below(job, base);
}

static inline size_t scaled(struct job *job, size_t amount) {
    size_t n = (size_t)(job->work * (double)amount);
    return n == 0 ? 1 : n;
}

/* A program writes to what it asked for: the first and the last byte, and one in each page between. */
static inline void *touched(struct job *job, void *block, size_t size) {
    volatile char *bytes = block;
    if (block == NULL) fputs("mems-bench-patterns: out of memory\n", stderr), _Exit(1);
    job->ops++;
    bytes[0] = 1;
    for (size_t at = 4096; at < size; at += 4096) bytes[at] = 1;
    bytes[size - 1] = 1;
    return block;
}

static inline void *take(struct job *job, size_t size) { return touched(job, malloc(size), size); }

/* KiB of physical memory this process has now, from the kernel; allocates nothing. */
size_t resident_kib(void);
/* Mappings this process has now (lines of its memory map); allocates nothing. */
size_t mappings(void);
/* Starts `count` threads on `run` with jobs of their own and waits for them; adds their ops to `job`. */
void on_threads(struct job *job, unsigned count, void (*run)(struct job *));
/* A measured figure beside time and RSS: `figure NAME VALUE` on stdout. */
void figure(const char *name, double value);
#endif
