/* Histories: what a heap looks like after the program has changed its mind. The figures are memory, not only time. */
#include "pattern.h"
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct piece {
    void *block;
    uint32_t size;
};

/* The table itself is not the allocator's: it would blur the ratio. */
static struct piece *table(size_t count) {
    void *memory = mmap(NULL, count * sizeof(struct piece), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) perror("mmap"), _Exit(1);
    return memory;
}

static void whole(char *block, size_t size) {
    for (size_t at = 0; at < size; at += 256) block[at] = 1;
    block[size - 1] = 1;
}

/* Fills empty places of the table with blocks of low..high bytes until `live` reaches `bytes`; the new `live` is returned. */
static size_t fill(struct job *job, struct piece *pieces, size_t count, size_t low, size_t high, size_t live, size_t bytes) {
    for (size_t i = 0; i < count && live < bytes; i++)
        if (pieces[i].block == NULL) {
            pieces[i].size = (uint32_t)between(job, low, high);
            pieces[i].block = take(job, pieces[i].size);
            whole(pieces[i].block, pieces[i].size);
            live += pieces[i].size;
        }
    return live;
}

/* Frees a random `drop` thousandths of the blocks; the new `live` is returned. */
static size_t thin(struct job *job, struct piece *pieces, size_t count, size_t drop, size_t live) {
    for (size_t i = 0; i < count; i++)
        if (pieces[i].block != NULL && below(job, 1000) < drop) {
            free(pieces[i].block);
            pieces[i].block = NULL;
            live -= pieces[i].size;
        }
    return live;
}

static double over_live(size_t base, size_t live) { return (double)(resident_kib() - base) * 1024 / (double)live; }

/* 800,000 blocks of 16-256 B, 90 % of them freed at random, then blocks of 300-1,000 B up to the same live bytes:
 * who keeps a page for a single old block pays for it here. */
static void phase_shift(struct job *job) {
    size_t count = scaled(job, 800000);
    struct piece *pieces = table(count);
    size_t base = resident_kib(), peak = fill(job, pieces, count, 16, 256, 0, SIZE_MAX);
    size_t live = thin(job, pieces, count, 900, peak);
    live = fill(job, pieces, count, 300, 1000, live, peak);
    figure("rss_over_live", over_live(base, live));
}

/* Twelve phases, each with sizes of its own, all filled to the same 60 MB; a share of each phase lives on to the end. */
static void history(struct job *job) {
    static const struct {
        size_t low, high, drop;
    } phase[] = {{16, 128, 900},  {300, 1000, 500}, {32, 64, 800},    {1000, 3000, 900}, {24, 256, 600},  {500, 900, 950},
                 {16, 2000, 700}, {100, 200, 900},  {2000, 9000, 500}, {16, 48, 850},    {600, 1400, 900}, {64, 512, 500}};
    size_t count = scaled(job, 2000000), bytes = scaled(job, 60000000), live = 0;
    struct piece *pieces = table(count);
    size_t base = resident_kib();
    double sum = 0;
    for (size_t i = 0; i < sizeof phase / sizeof *phase; i++) {
        live = fill(job, pieces, count, phase[i].low, phase[i].high, live, bytes);
        sum += over_live(base, live);
        live = thin(job, pieces, count, phase[i].drop, live);
    }
    live = fill(job, pieces, count, 200, 800, live, bytes);
    figure("rss_over_live_mean", sum / (double)(sizeof phase / sizeof *phase));
    figure("rss_over_live_end", over_live(base, live));
}

/* 250 MB in small blocks, all freed but the one taken last; then a second as an idle server has it: a few blocks every 10 ms. */
static void give_back(struct job *job) {
    size_t count = scaled(job, 1000000), base = resident_kib();
    struct piece *pieces = table(count);
    size_t table_kib = resident_kib() - base;
    fill(job, pieces, count, 16, 500, 0, SIZE_MAX);
    double peak = (double)(resident_kib() - table_kib);
    void *last = take(job, 100);
    thin(job, pieces, count, 1000, SIZE_MAX);
    figure("rss_over_peak_at_once", (double)(resident_kib() - table_kib) / peak);
    for (size_t tick = 0; tick < 100; tick++) {
        struct timespec pause = {0, 10000000};
        nanosleep(&pause, NULL);
        void *blocks[20];
        for (size_t i = 0; i < 20; i++) blocks[i] = take(job, between(job, 16, 1024));
        for (size_t i = 0; i < 20; i++) free(blocks[i]);
    }
    figure("rss_over_peak_after_1s", (double)(resident_kib() - table_kib) / peak);
    free(last);
}

/* Cost of a malloc with its free at a given number of live blocks: WORK is that number; 2,000,000 random replacements.
 * Also what the heap takes beyond the bytes asked (rounding, bookkeeping, free slots), and in how many mappings. */
static void live_set(struct job *job) {
    size_t count = (size_t)job->work;
    struct piece *pieces = table(count);
    size_t first_mappings = mappings(), base = resident_kib(), live = fill(job, pieces, count, 16, 128, 0, SIZE_MAX);
    figure("resident_beyond_live_bytes_a_block", ((double)(resident_kib() - base) * 1024 - (double)live) / (double)count);
    figure("more_mappings", (double)mappings() - (double)first_mappings);
    struct timespec start, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    enum { STEPS = 2000000 };
    for (size_t i = 0; i < STEPS; i++) {
        struct piece *piece = &pieces[below(job, count)];
        free(piece->block);
        piece->block = take(job, between(job, 16, 128));
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    double ns = (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
    figure("ns_per_pair", ns / STEPS);
}

const struct pattern phase_patterns[] = {
    {"phase-shift", "800,000 small blocks, 90 % freed, refilled with larger ones", phase_shift, 1},
    {"history", "12 phases of different sizes, a share of each lives on", history, 1},
    {"give-back", "a heap of a million blocks freed, then a second of idling", give_back, 1},
    {"live-set", "2 million replacements among WORK live blocks", live_set, 1},
    {NULL, NULL, NULL, 0},
};
