/* what: detached threads end on their own while new ones start, and the process leaves in the middle of it.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static int done;

static void *thread(void *seed) {
    exercise((unsigned long)seed, 50);
    free(get(100000));
    __atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
    return NULL;
}

int main(void) {
    pthread_attr_t attr;
    CHECK(pthread_attr_init(&attr) == 0);
    CHECK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
    CHECK(pthread_attr_setstacksize(&attr, 64 << 10) == 0);
    for (unsigned long i = 0; i < 5000; i++) {
        pthread_t t;
        while (pthread_create(&t, &attr, thread, (void *)i) != 0) {
            usleep(100);
        }
    }
    CHECK(__atomic_load_n(&done, __ATOMIC_RELAXED) > 0);
    return 0;
}
