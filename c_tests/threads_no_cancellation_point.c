/* what: no function of the family is a cancellation point: a cancelled thread goes on through all of them.
 * flags: -pthread
 */
#include "check.h"
#include <malloc.h>
#include <pthread.h>

static int done;

static void *one(void *arg) {
    CHECK(pthread_cancel(pthread_self()) == 0);
    static void *held[3000];
    for (size_t i = 0; i < 3000; i++) {
        held[i] = malloc(i * 10);
        CHECK(held[i] != NULL);
    }
    for (size_t i = 0; i < 3000; i++) {
        held[i] = realloc(held[i], i * 20 + 1);
    }
    for (size_t i = 0; i < 3000; i++) {
        free(held[i]);
    }
    void *large = calloc(1, 100 << 20);
    CHECK(large != NULL);
    free(large);
    free(memalign(1 << 20, 1 << 20));
    malloc_trim(0);
    done = 1;
    pthread_testcancel();
    done = 2;
    return arg;
}

int main(void) {
    pthread_t t;
    void *result;
    CHECK(pthread_create(&t, NULL, one, NULL) == 0);
    CHECK(pthread_join(t, &result) == 0);
    CHECK(result == PTHREAD_CANCELED && done == 1);
    return 0;
}
