/* what: blocks that one thread makes and another frees come back: a long exchange in rounds grows nothing.
 * flags: -pthread
 * mode: both
 */
#include "check.h"
#include <pthread.h>

#define COUNT 5000
static void *made[COUNT];

static void *maker(void *arg) {
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = (i * 37) % 2000 + 1;
        made[i] = malloc(size);
        CHECK(made[i] != NULL);
        memset(made[i], (int)(i % 251), size);
    }
    return arg;
}

static void *freer(void *arg) {
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(holds_only(made[i], (int)(i % 251), (i * 37) % 2000 + 1));
        free(made[i]);
    }
    return arg;
}

int main(void) {
    long rss = 0;
    for (int round = 0; round < 300; round++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, maker, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        if (round % 3 == 0) {
            freer(NULL);
        } else {
            CHECK(pthread_create(&t, NULL, freer, NULL) == 0);
            CHECK(pthread_join(t, NULL) == 0);
        }
        if (round == 30) {
            rss = status_kib("VmRSS");
        }
    }
    CHECK(status_kib("VmRSS") < rss + 8192);
    return 0;
}
