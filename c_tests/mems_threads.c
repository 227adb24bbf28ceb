/* what: all functions may be called from many threads at once.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * flags: -pthread
 */
#include "check.h"
#include "mems.h"
#include <pthread.h>

enum { THREADS = 8, ROUNDS = 20000, LIVE = 50 };

static void *work(void *arg) {
    unsigned char me = (unsigned char)(uintptr_t)arg;
    unsigned seed = me;
    char *live[LIVE] = {0};
    size_t size[LIVE];
    for (int i = 0; i < ROUNDS; i++) {
        int k = rand_r(&seed) % LIVE;
        if (live[k]) {
            CHECK(holds_only(mems_get(live[k]), me, size[k]));
            mems_free(live[k]);
        }
        size[k] = 1 + (size_t)rand_r(&seed) % 300;
        live[k] = mems_malloc(size[k]);
        CHECK(live[k] != NULL);
        memset(mems_get(live[k]), me, size[k]);
    }
    for (int k = 0; k < LIVE; k++) {
        if (live[k]) {
            mems_free(live[k]);
        }
    }
    return NULL;
}

int main(void) {
    pthread_t thread[THREADS];
    mems_init();
    for (uintptr_t i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&thread[i], NULL, work, (void *)(i + 1)) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(thread[i], NULL) == 0);
    }
    /* Everything was given back: one hole of the first region's size at the start. */
    CHECK(mems_malloc(4096) == (void *)1000);
    mems_finish();
    return 0;
}
