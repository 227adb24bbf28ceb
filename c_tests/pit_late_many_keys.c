/* what: 900 pthread keys whose destructors use the heap, in many threads, and again in main's pthread_exit.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

#define KEYS 900
static pthread_key_t key[KEYS];
static int dropped;

static void drop(void *p) {
    free(p);
    free(get(40));
    __atomic_add_fetch(&dropped, 1, __ATOMIC_RELAXED);
}

static void *thread(void *none) {
    for (int i = 0; i < KEYS; i++) {
        CHECK(pthread_setspecific(key[i], get((size_t)i + 1)) == 0);
    }
    return none;
}

static void *waits(void *main_thread) {
    CHECK(pthread_join(*(pthread_t *)main_thread, NULL) == 0);
    CHECK(dropped == KEYS * 21);
    exit(0);
}

int main(void) {
    for (int i = 0; i < KEYS; i++) {
        CHECK(pthread_key_create(&key[i], drop) == 0);
    }
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    CHECK(dropped == KEYS * 20);
    thread(NULL);
    static pthread_t self, t;
    self = pthread_self();
    CHECK(pthread_create(&t, NULL, waits, &self) == 0);
    pthread_exit(NULL);
}
