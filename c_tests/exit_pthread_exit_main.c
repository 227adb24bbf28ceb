/* what: main may leave by pthread_exit; the process ends with code 0 when its last thread returns, dump included.
 * flags: -pthread
 * stdout: ^last$
 * mode: both
 */
#include "check.h"
#include <pthread.h>
#include <stdio.h>

static void *last(void *arg) {
    usleep(30000);
    CHECK(holds_only(arg, 3, 1000));
    free(arg);
    puts("last");
    return NULL;
}

int main(void) {
    char *p = malloc(1000);
    CHECK(p != NULL);
    memset(p, 3, 1000);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, last, p) == 0);
    pthread_exit(NULL);
}
