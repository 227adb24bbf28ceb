/* what: 64 threads that allocate, hand blocks to each other and free them lose no call: sites are exact in every mode but
 *       sample.
 * plain: no
 * flags: -pthread
 */
#include "record.h"
#include <pthread.h>

#define THREADS 64
#define COUNT 500
static void *handed[THREADS][COUNT];
static pthread_barrier_t all;

static CALLER void *take(size_t size) {
    void *p = malloc(size);
    CHECK(p != NULL);
    return p;
}

static CALLER void *take_and_grow(size_t size) {
    void *p = realloc(take(size), size * 3);
    CHECK(p != NULL);
    return p;
}

static void *work(void *number) {
    size_t me = (size_t)number;
    for (size_t i = 0; i < COUNT; i++) {
        handed[me][i] = i % 3 ? take(16 + i) : take_and_grow(16 + i);
        free(take(40));
    }
    pthread_barrier_wait(&all);
    for (size_t i = 0; i < COUNT; i++) {
        if (i != me) {
            free(handed[(me + 1) % THREADS][i]);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        pthread_t threads[THREADS];
        CHECK(pthread_barrier_init(&all, NULL, THREADS) == 0);
        for (size_t i = 0; i < THREADS; i++) {
            CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
        }
        for (size_t i = 0; i < THREADS; i++) {
            CHECK(pthread_join(threads[i], NULL) == 0);
        }
        return 0;
    }
    static struct record record;
    const char *modes[2] = {"sites", "stacks"};
    for (int i = 0; i < 2; i++) {
        run_recorded(&record, "child", modes[i]);
        check_totals(&record);
        CHECK(sum_at(&record, take, 0, CALLS) == 2 * COUNT * THREADS);
        CHECK(sum_at(&record, take_and_grow, 0, CALLS) == (COUNT + 2) / 3 * THREADS);
        CHECK(sum_at(&record, take, 0, LIVE_BLOCKS) + sum_at(&record, take_and_grow, 0, LIVE_BLOCKS) == THREADS);
        CHECK(sum_at(&record, take, 0, TEMPORARY) >= COUNT * THREADS);
    }
    return 0;
}
