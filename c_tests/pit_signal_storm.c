/* what: a storm of signals over threads that allocate, free and contend breaks no call: no EINTR, no lost lock.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static volatile int hits, stop;
static void *shared[256];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void handler(int signal) {
    (void)signal;
    __atomic_add_fetch(&hits, 1, __ATOMIC_RELAXED);
}

static void *busy(void *seed) {
    unsigned long state = (unsigned long)seed + 99;
    while (!stop) {
        errno = 55;
        unsigned k = next_random(&state) % 256;
        void *mine = get(next_random(&state) % 2000);
        CHECK(mine);
        CHECK_ERRNO(55);
        pthread_mutex_lock(&lock);
        void *old = shared[k];
        shared[k] = mine;
        pthread_mutex_unlock(&lock);
        free(old);
        free(get(200000));
    }
    return NULL;
}

int main(void) {
    pthread_t t[4];
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    for (long i = 0; i < 4; i++) {
        CHECK(pthread_create(&t[i], NULL, busy, (void *)i) == 0);
    }
    double end = seconds() + 1;
    for (int i = 0; seconds() < end; i++) {
        CHECK(pthread_kill(t[i % 4], SIGUSR1) == 0);
        if (i % 16 == 0) {
            usleep(50);
        }
    }
    stop = 1;
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    CHECK(hits > 100);
    return 0;
}
