/* what: over a hundred thousand random calls of six sites, most of them in turn, each site's calls, bytes, live, share of the peak,
 *       temporaries and sizes are what a plain count says, in sites and in stacks.
 * plain: no
 */
#include "record.h"
#include <malloc.h>

#define SITES 6
#define BLOCKS 3000
#define CALLS_MADE 120000

static CALLER void *by_malloc(size_t size) {
    void *p = malloc(size);
    CHECK(p != NULL);
    return p;
}

static CALLER void *by_malloc_too(size_t size) {
    void *p = malloc(size);
    CHECK(p != NULL);
    return p;
}

static CALLER void *by_malloc_large(size_t size) {
    void *p = malloc(size * 40);
    CHECK(p != NULL);
    return p;
}

static CALLER void *by_calloc(size_t size) {
    void *p = calloc(1, size);
    CHECK(p != NULL);
    return p;
}

static CALLER void *by_memalign(size_t size) {
    void *p = memalign(32, size);
    CHECK(p != NULL);
    return p;
}

static CALLER void *by_realloc(void *old, size_t size) {
    void *p = realloc(old, size);
    CHECK(p != NULL);
    return p;
}

struct count {
    long long calls, asked, live_blocks, live_bytes, peak_blocks, peak_bytes, temporary, least, most;
};

struct model {
    struct count sites[SITES];
    long long live, peak;
    void *last;
};

struct live {
    char *block;
    int site;
};

static void came(struct model *model, struct live *live, char *block, int site, size_t asked) {
    struct count *count = &model->sites[site];
    long long usable = (long long)malloc_usable_size(block);
    count->calls++;
    count->asked += (long long)asked;
    count->live_blocks++;
    count->live_bytes += usable;
    count->least = count->calls == 1 || (long long)asked < count->least ? (long long)asked : count->least;
    count->most = (long long)asked > count->most ? (long long)asked : count->most;
    live->block = block;
    live->site = site;
    model->last = block;
    model->live += usable;
    if (model->live > model->peak) {
        model->peak = model->live;
        for (int i = 0; i < SITES; i++) {
            model->sites[i].peak_blocks = model->sites[i].live_blocks;
            model->sites[i].peak_bytes = model->sites[i].live_bytes;
        }
    }
}

static void goes(struct model *model, const struct live *live) {
    struct count *count = &model->sites[live->site];
    long long usable = (long long)malloc_usable_size(live->block);
    count->live_blocks--;
    count->live_bytes -= usable;
    count->temporary += live->block == model->last;
    model->live -= usable;
}

static struct model model;
static struct live blocks[BLOCKS];

static uint64_t draw(void) {
    static uint64_t random = 88172645463325252;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random >> 16;
}

static void allocate(size_t at) {
    size_t size = 1 + draw() % (draw() % 4 ? 90 : 1400);
    int site = (int)(draw() % 5);
    char *p = site == 0   ? by_malloc(size)
              : site == 1 ? by_malloc_too(size)
              : site == 2 ? by_malloc_large(size)
              : site == 3 ? by_calloc(size)
                          : by_memalign(size);
    came(&model, &blocks[at], p, site, site == 2 ? size * 40 : size);
}

static void give_back(size_t at) {
    goes(&model, &blocks[at]);
    free(blocks[at].block);
    blocks[at].block = NULL;
}

static void work(int calls) {
    for (int i = 0; i < calls; i++) {
        size_t at = draw() % BLOCKS;
        /* Grows, falls, and between the two stays far below the peak for long. */
        int phase = i / 4000 % 5;
        if (blocks[at].block == NULL) {
            if (phase == 0 || draw() % 3 == 0) {
                allocate(at);
            }
            if (phase > 1 && blocks[at].block != NULL && draw() % 2) {
                give_back(at);
            }
        } else if (phase == 0 && draw() % 8) {
            size_t size = 1 + draw() % 300;
            struct live old = blocks[at];
            goes(&model, &old);
            came(&model, &blocks[at], by_realloc(old.block, size), 5, size);
        } else {
            give_back(at);
        }
    }
}

static void compare(const struct record *record) {
    void *sites[SITES] = {by_malloc, by_malloc_too, by_malloc_large, by_calloc, by_memalign, by_realloc};
    for (int i = 0; i < SITES; i++) {
        const struct count *count = &model.sites[i];
        CHECK(sum_at(record, sites[i], 0, CALLS) == count->calls);
        CHECK(sum_at(record, sites[i], 0, ASKED) == count->asked);
        CHECK(sum_at(record, sites[i], 0, LIVE_BLOCKS) == count->live_blocks);
        CHECK(sum_at(record, sites[i], 0, LIVE_BYTES) == count->live_bytes);
        CHECK(sum_at(record, sites[i], 0, PEAK_BLOCKS) == count->peak_blocks);
        CHECK(sum_at(record, sites[i], 0, PEAK_BYTES) == count->peak_bytes);
        CHECK(sum_at(record, sites[i], 0, TEMPORARY) == count->temporary);
        if (sites_in(record, sites[i]) == 1) {
            CHECK(sum_at(record, sites[i], 0, LEAST) == count->least);
            CHECK(sum_at(record, sites[i], 0, MOST) == count->most);
        }
    }
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        work(CALLS_MADE);
        return 0;
    }
    static struct record record;
    const char *modes[2] = {"sites", "stacks"};
    work(CALLS_MADE);
    for (int i = 0; i < 2; i++) {
        run_recorded(&record, "child", modes[i]);
        check_totals(&record);
        compare(&record);
    }
    return 0;
}
