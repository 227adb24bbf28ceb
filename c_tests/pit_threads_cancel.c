/* what: malloc and free are no cancellation points; threads cancelled anywhere leave a sound heap.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static int past;

static void *pending(void *none) {
    pthread_cancel(pthread_self());
    for (size_t i = 0; i < 2000; i++) {
        free(get(i * 100));
        free(get_zeroed(i, 7));
        free(resize(get(i), i * 3));
        free(opaque(memalign(4096, i)));
    }
    past = 1;
    pthread_testcancel();
    past = 2;
    return none;
}

static void drop(void *p) {
    free(*(void **)p);
}

static void *victim(void *seed) {
    void *p = NULL;
    pthread_cleanup_push(drop, &p);
    for (unsigned long i = (unsigned long)seed;; i++) {
        p = get(i % 3000);
        pthread_testcancel();
        free(p);
        p = NULL;
    }
    pthread_cleanup_pop(1);
    return NULL;
}

int main(void) {
    pthread_t t;
    void *result;
    CHECK(pthread_create(&t, NULL, pending, NULL) == 0);
    CHECK(pthread_join(t, &result) == 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK(past == 1);
    for (unsigned long i = 0; i < 300; i++) {
        CHECK(pthread_create(&t, NULL, victim, (void *)(i * 31)) == 0);
        if (i % 3) {
            usleep(i % 50);
        }
        CHECK(pthread_cancel(t) == 0);
        CHECK(pthread_join(t, &result) == 0);
        CHECK(result == PTHREAD_CANCELED);
    }
    exercise(1, 5000);
    return 0;
}
