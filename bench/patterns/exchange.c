/* Blocks that one thread takes and another one frees, and tables that outlive the threads that filled them. */
#define _GNU_SOURCE
#include "pattern.h"
#include <pthread.h>
#include <stdatomic.h>

/* Between two threads: a ring of cells, each with a batch of pointers. The waiting side sleeps, so that CPU time is
 * work and not waiting, and a batch a lock keeps the lock's own price small beside 200 blocks. */
enum { CELLS = 8, BATCH = 200, RINGS = 128 };

struct ring {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t filled, head, tail; /* filled = head - tail <= CELLS */
    void *cell[CELLS][BATCH];
};

static struct ring rings[RINGS] = {[0 ... RINGS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}};

static void **room(struct ring *ring) {
    pthread_mutex_lock(&ring->lock);
    while (ring->filled == CELLS) pthread_cond_wait(&ring->changed, &ring->lock);
    pthread_mutex_unlock(&ring->lock);
    return ring->cell[ring->head % CELLS];
}

static void **batch(struct ring *ring) {
    pthread_mutex_lock(&ring->lock);
    while (ring->filled == 0) pthread_cond_wait(&ring->changed, &ring->lock);
    pthread_mutex_unlock(&ring->lock);
    return ring->cell[ring->tail % CELLS];
}

static void move_on(struct ring *ring, int filled) {
    pthread_mutex_lock(&ring->lock);
    if (filled)
        ring->head++, ring->filled++;
    else
        ring->tail++, ring->filled--;
    pthread_cond_signal(&ring->changed);
    pthread_mutex_unlock(&ring->lock);
}

static void filled(struct job *job, struct ring *ring) {
    void **blocks = room(ring);
    for (size_t i = 0; i < BATCH; i++) blocks[i] = take(job, between(job, 16, 256));
    move_on(ring, 1);
}

static void emptied(struct ring *ring) {
    void **blocks = batch(ring);
    for (size_t i = 0; i < BATCH; i++) free(blocks[i]);
    move_on(ring, 0);
}

/* Even threads only take, odd ones only free what the even one before them took. */
static void producer_consumer(struct job *job) {
    struct ring *ring = &rings[job->thread / 2];
    for (size_t round = scaled(job, 10000); round != 0; round--)
        if (job->thread % 2 == 0)
            filled(job, ring);
        else
            emptied(ring);
}

/* Every thread takes blocks for the next one and frees those of the one before: both sides of the exchange at once. */
static void remote_batches(struct job *job) {
    struct ring *mine = &rings[job->thread], *before = &rings[(job->thread + job->threads - 1) % job->threads];
    for (size_t round = scaled(job, 10000); round != 0; round--) {
        filled(job, mine);
        emptied(before);
    }
}

/* After Larson and Krishnan (1998): workers replace random blocks of a table, then leave it to a new thread. */
struct worker {
    struct job job;
    void **blocks;
    size_t steps;
};

enum { SLOTS = 5000, GENERATIONS = 12 };

static void *generation(void *argument) {
    struct worker *worker = argument;
    for (size_t i = 0; i < worker->steps; i++) {
        size_t slot = below(&worker->job, SLOTS);
        free(worker->blocks[slot]);
        worker->blocks[slot] = take(&worker->job, between(&worker->job, 16, 500));
    }
    return NULL;
}

static void larson(struct job *job) {
    struct worker worker = {*job, calloc(SLOTS, sizeof(void *)), scaled(job, 6000000) / GENERATIONS};
    for (size_t i = 0; i < GENERATIONS; i++) {
        pthread_t id;
        if (pthread_create(&id, NULL, generation, &worker) != 0) perror("pthread_create"), _Exit(1);
        pthread_join(id, NULL);
    }
    for (size_t i = 0; i < SLOTS; i++) free(worker.blocks[i]);
    free(worker.blocks);
    job->ops = worker.job.ops;
}

/* Every thread swaps its new blocks into one shared table and frees what it finds: no pairing, no order. */
static _Atomic(void *) board[1 << 14];

static void board_exchange(struct job *job) {
    size_t cells = sizeof board / sizeof *board;
    for (size_t i = scaled(job, 1500000); i != 0; i--) {
        void *block = take(job, between(job, 16, 400));
        free(atomic_exchange_explicit(&board[below(job, cells)], block, memory_order_acq_rel));
    }
}

/* Many short threads: each takes a few hundred blocks, frees most and leaves some for the main thread. */
enum { LEFT = 16 };

static void *short_life(void *slots) {
    struct job job = {1, 0, 1, (uintptr_t)slots | 1, 0};
    void *blocks[200];
    for (size_t i = 0; i < 200; i++) blocks[i] = take(&job, between(&job, 16, 1024));
    for (size_t i = LEFT; i < 200; i++) free(blocks[i]);
    for (size_t i = 0; i < LEFT; i++) ((void **)slots)[i] = blocks[i];
    return NULL;
}

static void thread_life(struct job *job) {
    for (size_t i = scaled(job, 5000); i != 0; i--) {
        void *left[LEFT];
        pthread_t id;
        if (pthread_create(&id, NULL, short_life, left) != 0) perror("pthread_create"), _Exit(1);
        pthread_join(id, NULL);
        for (size_t j = 0; j < LEFT; j++) free(left[j]);
        job->ops += 200;
    }
}

const struct pattern exchange_patterns[] = {
    {"producer", "one thread takes, its partner frees, through a ring", producer_consumer, 0},
    {"remote-batches", "each thread frees the batches of the one before it", remote_batches, 0},
    {"larson", "tables of live blocks handed from thread to new thread", larson, 0},
    {"board", "every thread replaces random blocks of one shared table", board_exchange, 0},
    {"thread-life", "5,000 threads one after another, 200 blocks each", thread_life, 1},
    {NULL, NULL, NULL, 0},
};
