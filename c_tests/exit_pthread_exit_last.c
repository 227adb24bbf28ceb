/* what: where the last thread of a process leaves by pthread_exit too, the process ends with code 0 and the dump.
 * flags: -pthread
 */
#include "check.h"
#include <pthread.h>

static void *last(void *arg) {
    (void)arg;
    usleep(30000);
    CHECK(malloc(100) != NULL);
    pthread_exit(NULL);
}

int main(void) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, last, NULL) == 0);
    CHECK(pthread_detach(t) == 0);
    pthread_exit(NULL);
}
