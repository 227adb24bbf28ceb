/* what: mems_get in one thread while another starts anew and finishes: an address or NULL, never a crash.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * flags: -pthread
 */
#include "check.h"
#include "mems.h"
#include <pthread.h>

static volatile int stop;

static void *look(void *arg) {
    unsigned seed = (unsigned)(uintptr_t)arg;
    while (!stop) {
        mems_get((void *)(uintptr_t)(1000 + rand_r(&seed) % 100000));
    }
    return NULL;
}

int main(void) {
    pthread_t thread[2];
    for (uintptr_t i = 0; i < 2; i++) {
        CHECK(pthread_create(&thread[i], NULL, look, (void *)(i + 1)) == 0);
    }
    for (int round = 0; round < 500; round++) {
        mems_init();
        for (int i = 0; i < 100; i++) {
            CHECK(mems_malloc(700) != NULL);
        }
        mems_finish();
    }
    stop = 1;
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(thread[i], NULL) == 0);
    }
    return 0;
}
