/* what: with MEMS_LOG=trace, threads that allocate and fork again and again: no child hangs.
 * env: MEMS_LOG=trace
 * env: MEMS_STATS=off
 * flags: -pthread
 */
#include "check.h"
#include <pthread.h>
#include <sys/wait.h>

static volatile int stop;

static void *allocate(void *none) {
    while (!stop) {
        free(malloc(unknown(3 << 20)));
        void *p[50];
        for (int i = 0; i < 50; i++) {
            p[i] = malloc(unknown(40000));
        }
        for (int i = 0; i < 50; i++) {
            free(p[i]);
        }
    }
    return none;
}

int main(void) {
    pthread_t t[3];
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&t[i], NULL, allocate, NULL) == 0);
    }
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(10);
            free(malloc(unknown(5 << 20)));
            exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    stop = 1;
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    return 0;
}
