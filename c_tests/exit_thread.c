/* what: exit() called by a thread that is not the first, while others allocate, ends the process with its code.
 * flags: -pthread
 * exit: 21
 * mode: both
 */
#include "check.h"
#include <pthread.h>

static void *busy(void *arg) {
    for (size_t i = 0;; i++) {
        char *p = malloc(i % 5000 + 1);
        CHECK(p != NULL);
        p[0] = 1;
        free(p);
    }
    return arg;
}

static void *leaver(void *arg) {
    usleep(20000);
    exit(21);
    return arg;
}

int main(void) {
    pthread_t t;
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&t, NULL, busy, NULL) == 0);
    }
    CHECK(pthread_create(&t, NULL, leaver, NULL) == 0);
    busy(NULL);
    return 0;
}
