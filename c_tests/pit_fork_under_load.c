/* what: fork while three threads use the heap: every child allocates, frees, starts a thread and exits.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static int stop;
static void *busy(void *seed) {
    for (unsigned long i = (unsigned long)seed; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        exercise(i, 200);
    }
    return NULL;
}

static void *once(void *seed) {
    exercise((unsigned long)seed, 200);
    return NULL;
}

int main(void) {
    pthread_t t[3];
    void *before = get(100);
    for (long i = 0; i < 3; i++) {
        CHECK(pthread_create(&t[i], NULL, busy, (void *)(i * 100000)) == 0);
    }
    for (int i = 0; i < 80; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(10);
            free(before);
            exercise((unsigned long)i, 300);
            pthread_t own;
            CHECK(pthread_create(&own, NULL, once, (void *)5) == 0);
            CHECK(pthread_join(own, NULL) == 0);
            if (i % 2) {
                exit(0);
            }
            _exit(0);
        }
        CHECK(ended_well(child));
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    free(before);
    return 0;
}
