/* what: 100,000 threads one after another, each of which allocates, grow neither resident memory nor mappings.
 * flags: -pthread
 * seconds: 120
 */
#include "check.h"
#include <pthread.h>

static void *one(void *arg) {
    void *held[10];
    for (size_t i = 0; i < 10; i++) {
        held[i] = malloc(i * i * 40 + 1);
        CHECK(held[i] != NULL);
        memset(held[i], 1, i * i * 40 + 1);
    }
    for (int i = 0; i < 10; i++) {
        free(held[i]);
    }
    return arg;
}

static void run(int count) {
    for (int i = 0; i < count; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, one, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
}

int main(void) {
    run(2000);
    long rss = status_kib("VmRSS");
    long maps = mappings();
    run(98000);
    CHECK(status_kib("VmRSS") < rss + 1024);
    CHECK(mappings() < maps + 10);
    return 0;
}
