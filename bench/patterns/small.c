/* Small blocks in one thread (or in several that share nothing): pairs, batches, mixed sizes, a large live set. */
#include "pattern.h"
#include <string.h>

static void pairs(struct job *job, size_t size, size_t count) {
    for (size_t i = scaled(job, count); i != 0; i--) free(take(job, size));
}

static void pairs_16(struct job *job) { pairs(job, 16, 24000000); }
static void pairs_64(struct job *job) { pairs(job, 64, 24000000); }
static void pairs_256(struct job *job) { pairs(job, 256, 24000000); }
static void pairs_1024(struct job *job) { pairs(job, 1024, 24000000); }
static void pairs_8k(struct job *job) { pairs(job, 8192, 12000000); }

enum { BATCH = 1000 };

static void batches(struct job *job, int last_first) {
    void *blocks[BATCH];
    for (size_t round = scaled(job, 18000); round != 0; round--) {
        for (size_t i = 0; i < BATCH; i++) blocks[i] = take(job, 64);
        for (size_t i = 0; i < BATCH; i++) free(blocks[last_first ? BATCH - 1 - i : i]);
    }
}

static void lifo(struct job *job) { batches(job, 1); }
static void fifo(struct job *job) { batches(job, 0); }

static void shuffled(struct job *job) {
    enum { MANY = 10000 };
    static _Thread_local void *blocks[MANY];
    for (size_t round = scaled(job, 400); round != 0; round--) {
        for (size_t i = 0; i < MANY; i++) {
            size_t j = below(job, i + 1);
            blocks[i] = blocks[j];
            blocks[j] = take(job, between(job, 16, 512));
        }
        for (size_t i = 0; i < MANY; i++) free(blocks[i]);
    }
}

/* A table of live blocks, of which a random one is replaced at every step. */
static void replaced(struct job *job, size_t slots, size_t steps, size_t (*size)(struct job *)) {
    void **blocks = calloc(slots, sizeof *blocks);
    for (size_t i = 0; i < slots; i++) blocks[i] = take(job, size(job));
    for (size_t i = scaled(job, steps); i != 0; i--) {
        size_t slot = below(job, slots);
        free(blocks[slot]);
        blocks[slot] = take(job, size(job));
    }
    for (size_t i = 0; i < slots; i++) free(blocks[i]);
    free(blocks);
}

static size_t up_to_1k(struct job *job) { return skewed(job, 3, 10); }
static size_t up_to_32k(struct job *job) { return skewed(job, 4, 15); }
static size_t up_to_256(struct job *job) { return between(job, 16, 256); }

static void mixed(struct job *job) { replaced(job, 4096, 8000000, up_to_1k); }
static void mixed_wide(struct job *job) { replaced(job, 1024, 2400000, up_to_32k); }
static void churn(struct job *job) { replaced(job, 1000000, 500000, up_to_256); }

static void cleared(struct job *job) {
    void *blocks[BATCH];
    for (size_t round = scaled(job, 1600); round != 0; round--) {
        for (size_t i = 0; i < BATCH; i++) {
            size_t size = skewed(job, 4, 13);
            blocks[i] = touched(job, calloc(1, size), size);
        }
        for (size_t i = 0; i < BATCH; i++) free(blocks[i]);
    }
}

static void aligned(struct job *job) {
    static const size_t alignments[] = {32, 64, 64, 128, 256, 4096};
    void *blocks[BATCH];
    for (size_t round = scaled(job, 800); round != 0; round--) {
        for (size_t i = 0; i < BATCH; i++) {
            size_t size = between(job, 16, 1024);
            if (posix_memalign(&blocks[i], alignments[below(job, 6)], size) != 0) blocks[i] = NULL;
            touched(job, blocks[i], size);
        }
        for (size_t i = 0; i < BATCH; i++) free(blocks[i]);
    }
}

/* Words, lists and records of an interpreter: short strings copied, nodes linked, a tree of them dropped at once. */
static void strings(struct job *job) {
    struct node {
        struct node *next;
        char *text;
    };
    char line[256];
    memset(line, 'x', sizeof line);
    for (size_t round = scaled(job, 180); round != 0; round--) {
        struct node *list = NULL;
        for (size_t i = 0; i < 20000; i++) {
            size_t length = between(job, 1, i % 16 == 0 ? 200 : 30);
            struct node *node = take(job, sizeof *node);
            node->text = take(job, length + 1);
            memcpy(node->text, line, length);
            node->next = list;
            list = node;
            if (i % 3 == 0) free(take(job, length + 16));
        }
        while (list != NULL) {
            struct node *node = list;
            list = node->next;
            free(node->text);
            free(node);
        }
    }
}

const struct pattern small_patterns[] = {
    {"pairs-16", "malloc and free at once, 16 bytes", pairs_16, 0},
    {"pairs-64", "malloc and free at once, 64 bytes", pairs_64, 0},
    {"pairs-256", "malloc and free at once, 256 bytes", pairs_256, 0},
    {"pairs-1024", "malloc and free at once, 1024 bytes", pairs_1024, 0},
    {"pairs-8k", "malloc and free at once, 8 KiB", pairs_8k, 0},
    {"lifo", "1,000 blocks of 64 bytes, freed last first", lifo, 0},
    {"fifo", "1,000 blocks of 64 bytes, freed first first", fifo, 0},
    {"shuffled", "10,000 blocks of 16-512 bytes, freed at random", shuffled, 0},
    {"mixed", "4,096 live blocks of 8-1,023 bytes, a random one replaced", mixed, 0},
    {"mixed-wide", "1,024 live blocks of 16 B-32 KiB, a random one replaced", mixed_wide, 0},
    {"churn", "a million live blocks of 16-256 bytes, a random one replaced", churn, 0},
    {"strings", "lists of short strings, built and dropped", strings, 0},
    {"calloc", "1,000 cleared blocks of 16 B-8 KiB, freed in order", cleared, 0},
    {"aligned", "1,000 blocks of 16-1,024 bytes aligned to 32-4,096", aligned, 0},
    {NULL, NULL, NULL, 0},
};
