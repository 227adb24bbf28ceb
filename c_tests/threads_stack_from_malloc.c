/* what: a thread whose stack is a block of malloc runs and ends, and its stack is freed and used again.
 * flags: -pthread
 */
#include "check.h"
#include <pthread.h>

static void *one(void *arg) {
    char *p = malloc(5000);
    CHECK(p != NULL);
    memset(p, 1, 5000);
    free(p);
    return arg;
}

int main(void) {
    for (int round = 0; round < 500; round++) {
        size_t size = 65536 + (size_t)(round % 5) * 65536;
        void *stack = NULL;
        CHECK(posix_memalign(&stack, 4096, size) == 0);
        pthread_attr_t attr;
        CHECK(pthread_attr_init(&attr) == 0);
        CHECK(pthread_attr_setstack(&attr, stack, size) == 0);
        pthread_t t;
        CHECK(pthread_create(&t, &attr, one, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        pthread_attr_destroy(&attr);
        memset(stack, 0xcc, size);
        free(stack);
    }
    return 0;
}
