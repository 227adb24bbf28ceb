/* what: with every third block guarded, threads that hand blocks to each other, forks, signal handlers and realloc work as ever.
 * mode: preload
 * plain: no
 * flags: -pthread
 * env: MEMS_GUARD=sample:3
 */
#include "pit.h"

enum { THREADS = 4, SLOTS = 64 };

static void *slot[SLOTS];

static void on_signal(int number) {
    free(get((size_t)number * 40));
}

static void *works(void *seed) {
    unsigned long state = (unsigned long)seed * 7919 + 1;
    for (int i = 0; i < 5000; i++) {
        unsigned long r = next_random(&state);
        size_t size = (r >> 8) % 5000;
        unsigned char *mine = (r >> 40) % 3 ? get(size) : get_zeroed(1, size);
        CHECK(mine && ((r >> 40) % 3 || holds_only(mine, 0, size)));
        memset(mine, 1, size);
        if (r % 5 == 0) {
            mine = resize(mine, size + 100);
            CHECK(mine && holds_only(mine, 1, size));
        }
        free(__atomic_exchange_n(&slot[r % SLOTS], mine, __ATOMIC_ACQ_REL));
        if (r % 64 == 0) {
            raise(SIGUSR1);
        }
    }
    exercise((unsigned long)seed, 1000);
    return NULL;
}

int main(void) {
    pthread_t t[THREADS];
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
    for (unsigned long i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&t[i], NULL, works, (void *)(i + 1)) == 0);
    }
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        if (child == 0) {
            exercise((unsigned long)i, 1000);
            _exit(0);
        }
        CHECK(ended_well(child));
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    for (int k = 0; k < SLOTS; k++) {
        free(slot[k]);
    }
    return 0;
}
