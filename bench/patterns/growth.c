/* Blocks that grow by realloc, and blocks so large that an allocator may hand them straight to the system. */
#include "pattern.h"
#include <string.h>

/* Grows a block to `size`, checks that its old bytes came along, and fills what is new, as whoever grows a buffer does. */
static char *grown(struct job *job, char *block, size_t old, size_t size) {
    block = realloc(block, size);
    if (block == NULL || (old != 0 && block[old - 1] != 7)) fputs("mems-bench-patterns: realloc lost bytes\n", stderr), _Exit(1);
    memset(block + old, 7, size - old);
    job->ops++;
    return block;
}

static void growing(struct job *job, size_t start, size_t limit, size_t num, size_t den, size_t rounds) {
    for (size_t round = scaled(job, rounds); round != 0; round--) {
        char *block = NULL;
        for (size_t old = 0, size = start; size <= limit; old = size, size = size * num / den + 1) block = grown(job, block, old, size);
        free(block);
    }
}

static void doubling(struct job *job) { growing(job, 16, (size_t)64 << 20, 2, 1, 7); }
static void by_tenth(struct job *job) { growing(job, 16, (size_t)16 << 20, 11, 10, 40); }
static void small_growth(struct job *job) { growing(job, 16, 4096, 3, 2, 700000); }

static void two_buffers(struct job *job) {
    for (size_t round = scaled(job, 30); round != 0; round--) {
        char *first = NULL, *second = NULL;
        for (size_t old = 0, size = 4096; size <= (size_t)8 << 20; old = size, size += size / 2) {
            first = grown(job, first, old, size);
            second = grown(job, second, old, size);
        }
        free(first);
        free(second);
    }
}

static void large(struct job *job) {
    enum { SLOTS = 64 };
    void *blocks[SLOTS] = {NULL};
    for (size_t i = scaled(job, 12000); i != 0; i--) {
        size_t slot = below(job, SLOTS);
        free(blocks[slot]);
        blocks[slot] = take(job, skewed(job, 15, 20));
    }
    for (size_t i = 0; i < SLOTS; i++) free(blocks[i]);
}

static void huge(struct job *job) {
    for (size_t i = scaled(job, 20); i != 0; i--) free(take(job, (size_t)32 << 20));
}

/* A buffer for each request, as servers and codecs have: taken, filled, dropped, with small blocks in between. */
static void buffers(struct job *job) {
    for (size_t i = scaled(job, 600000); i != 0; i--) {
        void *request = take(job, 256), *body = take(job, between(job, 4096, 262144)), *answer = take(job, 16384);
        free(request);
        free(body);
        free(answer);
    }
}

const struct pattern growth_patterns[] = {
    {"realloc-small", "a buffer grown by half from 16 bytes to 4 KiB", small_growth, 0},
    {"realloc-double", "a buffer doubled from 16 bytes to 64 MiB", doubling, 0},
    {"realloc-tenth", "a buffer grown by 10 % from 16 bytes to 16 MiB", by_tenth, 0},
    {"realloc-two", "two buffers grown in turn by half to 8 MiB", two_buffers, 0},
    {"large", "64 live blocks of 32 KiB-1 MiB, a random one replaced", large, 0},
    {"huge", "32 MiB blocks, taken, touched and freed", huge, 0},
    {"buffers", "buffers of 4-256 KiB for each request", buffers, 0},
    {NULL, NULL, NULL, 0},
};
