/* what: a thread that is cancelled while it allocates all the time leaves a heap that works.
 * flags: -pthread
 */
#include "check.h"
#include <pthread.h>

static void *busy(void *arg) {
    for (size_t i = 0;; i++) {
        char *p = malloc(i % 3000 + 1);
        CHECK(p != NULL);
        p[0] = 1;
        free(p);
        pthread_testcancel();
    }
    return arg;
}

int main(void) {
    for (int round = 0; round < 200; round++) {
        pthread_t t[2];
        CHECK(pthread_create(&t[0], NULL, busy, NULL) == 0);
        CHECK(pthread_create(&t[1], NULL, busy, NULL) == 0);
        usleep(500);
        for (int i = 0; i < 2; i++) {
            void *result;
            CHECK(pthread_cancel(t[i]) == 0);
            CHECK(pthread_join(t[i], &result) == 0);
            CHECK(result == PTHREAD_CANCELED);
        }
        char *p = malloc(3000);
        CHECK(p != NULL);
        free(p);
    }
    return 0;
}
