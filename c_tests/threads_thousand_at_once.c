/* what: a thousand threads at once, on small stacks, allocate and free; what they leave is in reasonable bounds.
 * flags: -pthread
 */
#include "check.h"
#include <limits.h>
#include <pthread.h>

#define COUNT 1000
static pthread_barrier_t gate;

static void *one(void *arg) {
    size_t n = (size_t)arg;
    char *p = malloc(n + 1);
    CHECK(p != NULL);
    memset(p, (int)(n % 100), n + 1);
    pthread_barrier_wait(&gate);
    for (size_t i = 1; i < 200; i++) {
        char *q = malloc(i * 16);
        CHECK(q != NULL);
        q[0] = 1;
        free(q);
    }
    CHECK(holds_only(p, (int)(n % 100), n + 1));
    pthread_barrier_wait(&gate);
    return p;
}

int main(void) {
    pthread_attr_t attr;
    CHECK(pthread_attr_init(&attr) == 0);
    long least = sysconf(_SC_THREAD_STACK_MIN);
    CHECK(pthread_attr_setstacksize(&attr, least > 16384 ? (size_t)least : 16384) == 0);
    CHECK(pthread_barrier_init(&gate, NULL, COUNT) == 0);
    static pthread_t threads[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(pthread_create(&threads[i], &attr, one, (void *)i) == 0);
    }
    for (size_t i = 0; i < COUNT; i++) {
        void *p;
        CHECK(pthread_join(threads[i], &p) == 0);
        CHECK(holds_only(p, (int)(i % 100), i + 1));
        free(p);
    }
    CHECK(status_kib("VmRSS") < 200 << 10);
    return 0;
}
