/* what: 1,000 threads alive at once, each with live blocks, cost little memory and all end well.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

#define N 1000
static pthread_barrier_t all_here;

static void *thread(void *seed) {
    void *keep[10];
    for (int i = 0; i < 10; i++) {
        keep[i] = get((size_t)(i + 1) * 30);
        CHECK(keep[i]);
        memset(keep[i], 1, (size_t)(i + 1) * 30);
    }
    exercise((unsigned long)seed, 100);
    pthread_barrier_wait(&all_here);
    pthread_barrier_wait(&all_here);
    for (int i = 0; i < 10; i++) {
        free(keep[i]);
    }
    return get(20);
}

int main(void) {
    static pthread_t t[N];
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0);
    CHECK(pthread_attr_setstacksize(&small, 64 << 10) == 0);
    CHECK(pthread_barrier_init(&all_here, NULL, N + 1) == 0);
    for (unsigned long i = 0; i < N; i++) {
        CHECK(pthread_create(&t[i], &small, thread, (void *)i) == 0);
    }
    pthread_barrier_wait(&all_here);
    long rss = status_kib("VmRSS");
    CHECK(rss > 0 && rss < 400 << 10);
    pthread_barrier_wait(&all_here);
    for (int i = 0; i < N; i++) {
        void *p;
        CHECK(pthread_join(t[i], &p) == 0);
        free(p);
    }
    return 0;
}
