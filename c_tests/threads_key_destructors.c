/* what: destructors of thread keys free and allocate, in every round that POSIX gives them, whatever their order.
 * flags: -pthread
 * mode: both
 */
#include "check.h"
#include <pthread.h>

#define KEYS 200
static pthread_key_t keys[KEYS];
static int runs;

static void gone(void *value) {
    size_t *counter = value;
    size_t left = *counter;
    size_t which = counter[1];
    free(counter);
    __atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
    if (left > 0) {
        counter = malloc(2 * sizeof *counter + which);
        CHECK(counter != NULL);
        counter[0] = left - 1;
        counter[1] = which;
        CHECK(pthread_setspecific(keys[which], counter) == 0);
    }
}

static void *one(void *arg) {
    for (size_t i = 0; i < KEYS; i++) {
        size_t *counter = malloc(2 * sizeof *counter + i);
        CHECK(counter != NULL);
        counter[0] = i % 3;
        counter[1] = i;
        CHECK(pthread_setspecific(keys[i], counter) == 0);
    }
    return arg;
}

int main(void) {
    for (int i = 0; i < KEYS; i++) {
        CHECK(pthread_key_create(&keys[i], gone) == 0);
    }
    for (int round = 0; round < 50; round++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, one, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    CHECK(runs == 50 * (67 * 1 + 67 * 2 + 66 * 3));
    return 0;
}
