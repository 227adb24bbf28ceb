/* Nanoseconds of mems_malloc, mems_get and mems_free with N live segments.
 *
 *   bench NAME N [MILLISECONDS [SIZE]]   prints one row of the table; the time bounds each measurement
 *   bench memory                         prints what one load costs on this machine as it is just now
 *
 * Times are the process's own CPU time. The second form follows pointers at random through tables of several sizes:
 * with many segments an operation costs one such load or two, whatever it does between them.
 *
 * The same source is linked with libmems and with linear.c, the plain list. Sizes are SIZE - 32 to SIZE + 32 bytes at
 * random, SIZE being 40 where it is not said. Columns, in the order of the run:
 *   fill    mems_malloc of N segments into an empty system (of the plain list, the last 256)
 *   get     mems_get of a random byte of a random live segment
 *   free    mems_free of random live segments, a sixteenth of all at a time, less loop
 *   malloc  mems_malloc of as many of new random sizes, into the holes those left, less loop
 *   clear   mems_free of all N in random order
 *   loop    what the loop that times free costs with an empty function in its place, reading the clock included
 *   bytes   bookkeeping over live segments: address space beyond the regions
 *
 * What is random is drawn before the clock starts: the loops read addresses and sizes from the front of an array to
 * its end, which the processor foresees, so every miss that is timed belongs to the call. The segments' own memory is not
 * touched.
 */
#define _GNU_SOURCE
#include "mems.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct live {
    char *at;
    uint32_t size;
    uint32_t next_size;
};

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static uint32_t mean_size = 40;

static uint32_t random_size(void) { return mean_size - 32 + (uint32_t)(rnd() % 65); }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void must(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "bench: %s\n", what);
        exit(1);
    }
}

/* The benchmark's own arrays come from mmap, so that they disturb no allocator. */
static void *array(size_t n, size_t size) {
    void *at = mmap(NULL, n * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    must(at != MAP_FAILED, "mmap failed");
    return at;
}

static long address_space(void) {
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    must(statm != NULL && fscanf(statm, "%ld", &pages) == 1, "no /proc/self/statm");
    fclose(statm);
    return pages * sysconf(_SC_PAGESIZE);
}

/* Puts `k` random ones of the `n` in front. */
static void draw(struct live *live, size_t n, size_t k) {
    for (size_t i = 0; i < k; i++) {
        size_t other = i + rnd() % (n - i);
        struct live t = live[i];
        live[i] = live[other];
        live[other] = t;
    }
}

/* In linear.c only. */
extern int linear_from_last __attribute__((weak));

/* The last ones are timed: of the plain list 256, of libmems all. */
static double fill(struct live *live, size_t n) {
    size_t from = &linear_from_last != NULL ? n - 256 % n : 0;
    double begin = now();
    for (size_t i = 0; i < n; i++) {
        if (&linear_from_last != NULL) {
            linear_from_last = i < from;
        }
        if (i == from) {
            begin = now();
        }
        live[i].size = random_size();
        live[i].at = mems_malloc(live[i].size);
        must(live[i].at != NULL, "mems_malloc failed");
    }
    return (now() - begin) / (double)(n - from);
}

static void nothing(void *at) { (void)at; }

/* Not known to the compiler, so that both are called in the same way. */
static void (*volatile call_free)(void *) = mems_free;
static void (*volatile call_nothing)(void *) = nothing;

/* Calls `release` for the first `k`, or as many as fit into the time; how many. */
static size_t free_first(void (*release)(void *), struct live *live, size_t k, double budget) {
    double limit = now() + budget;
    for (size_t i = 0; i < k; i++) {
        release(live[i].at);
        if (i % 256 == 255 && now() > limit) {
            return i + 1;
        }
    }
    return k;
}

static double get(struct live *live, size_t n, double budget) {
    size_t most = 1 << 20, done = 0;
    char **where = array(most, sizeof *where);
    for (size_t i = 0; i < most; i++) {
        struct live *l = &live[rnd() % n];
        where[i] = l->at + rnd() % l->size;
    }
    double begin = now();
    for (; done < most && (done % 256 != 0 || now() - begin < budget); done++) {
        must(mems_get(where[done]) != NULL, "mems_get failed");
    }
    double each = (now() - begin) / (double)done;
    munmap(where, most * sizeof *where);
    return each;
}

/* Nanoseconds of a load whose address the load before it gave, in a cycle through `size` bytes. */
static double load(size_t size) {
    size_t n = size / 64, steps = 2000000;
    uint64_t(*line)[8] = array(n, sizeof *line);
    for (size_t i = 0; i < n; i++) {
        line[i][0] = i;
    }
    for (size_t i = n - 1; i > 0; i--) {
        size_t other = rnd() % i;
        uint64_t t = line[i][0];
        line[i][0] = line[other][0];
        line[other][0] = t;
    }
    volatile uint64_t at = 0;
    double begin = now();
    uint64_t k = at;
    for (size_t i = 0; i < steps; i++) {
        k = line[k][0];
    }
    at = k;
    double each = (now() - begin) / (double)steps;
    munmap(line, n * sizeof *line);
    return each;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "memory") == 0) {
        printf("one load, ns, from a table of MiB:");
        for (size_t size = 1 << 20; size <= 1 << 26; size *= 2) {
            printf("  %zu: %.1f", size >> 20, load(size));
        }
        printf("\n");
        return 0;
    }
    must(argc >= 3, "usage: bench NAME N [MILLISECONDS [SIZE]]");
    size_t n = strtoul(argv[2], NULL, 10);
    mean_size = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 40;
    must(n >= 16 && mean_size > 32, "N is at least 16, SIZE more than 32");
    double budget = (argc > 3 ? strtod(argv[3], NULL) : 1000) * 1e6;
    struct live *live = array(n, sizeof *live);
    char *highest = NULL;
    long before = address_space();
    mems_init();

    double t_fill = fill(live, n);
    double t_get = get(live, n, budget);

    size_t batch = n / 16, freed = 0, looped = 0;
    double t_free = 0, t_malloc = 0, t_loop = 0;
    for (double begin = now(); now() - begin < budget;) {
        draw(live, n, batch);
        for (size_t i = 0; i < batch; i++) {
            live[i].next_size = random_size();
        }
        double t = now();
        looped += free_first(call_nothing, live, batch, budget);
        t_loop += now() - t;
        t = now();
        size_t k = free_first(call_free, live, batch, budget);
        t_free += now() - t;
        freed += k;
        t = now();
        for (size_t i = 0; i < k; i++) {
            live[i].at = mems_malloc(live[i].next_size);
        }
        t_malloc += now() - t;
        for (size_t i = 0; i < k; i++) {
            must(live[i].at != NULL, "mems_malloc failed");
            live[i].size = live[i].next_size;
        }
    }

    for (size_t i = 0; i < n; i++) {
        highest = live[i].at > highest ? live[i].at : highest;
    }
    long regions = (long)(((uintptr_t)highest - MEMS_START_VA) / PAGE_SIZE + 1) * PAGE_SIZE;
    long bookkeeping = address_space() - before - regions;

    draw(live, n, n - 1);
    double begin = now();
    size_t cleared = free_first(call_free, live, n, budget);
    double t_clear = (now() - begin) / (double)cleared;
    mems_finish();
    t_loop /= (double)looped;
    printf("%-8s %5u %9zu %9.1f %9.1f %9.1f %9.1f %9.1f %6.1f %7.1f\n", argv[1], mean_size, n, t_fill, t_get,
           t_free / (double)freed - t_loop, t_malloc / (double)freed - t_loop, t_clear, t_loop, (double)bookkeeping / (double)n);
    return 0;
}
