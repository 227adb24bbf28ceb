/* what: pthread_atfork handlers that allocate, registered before ours and after, and more than 48 of them, under load.
 * mode: preload
 * flags: -pthread
 * links: pit_early
 */
#include "pit.h"

extern int early_handlers;
int early_went_well(void);
static int calls, stop;

static void handler(void) {
    void *p = get(300 + (size_t)(calls % 50) * 200);
    CHECK(p);
    calls++;
    free(p);
}

static void *busy(void *seed) {
    for (unsigned long i = (unsigned long)seed; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        exercise(i, 100);
    }
    return NULL;
}

int main(void) {
    pthread_t t[2];
    CHECK(early_went_well());
    for (int i = 0; i < 60; i++) {
        CHECK(pthread_atfork(handler, handler, handler) == 0);
    }
    for (long i = 0; i < 2; i++) {
        CHECK(pthread_create(&t[i], NULL, busy, (void *)(i * 5000)) == 0);
    }
    for (int i = 0; i < 50; i++) {
        early_handlers = calls = 0;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(10);
            CHECK(calls == 120 && early_handlers == 2);
            exercise(2, 200);
            exit(0);
        }
        CHECK(ended_well(child));
        CHECK(calls == 120 && early_handlers == 2);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    return 0;
}
