/* what: a signal handler that calls _exit in the middle of malloc, in a threaded program, ends the process.
 * flags: -pthread
 * exit: 23
 */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

static void handler(int signal) {
    (void)signal;
    _exit(23);
}

static void *busy(void *arg) {
    for (size_t i = 0;; i++) {
        char *p = malloc(i % 50 ? i % 3000 : 200000);
        CHECK(p != NULL);
        p[0] = 1;
        free(p);
    }
    return arg;
}

int main(void) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, busy, NULL) == 0);
    CHECK(signal(SIGALRM, handler) != SIG_ERR);
    struct itimerval once = {{0, 0}, {0, 20000}};
    CHECK(setitimer(ITIMER_REAL, &once, NULL) == 0);
    busy(NULL);
    return 0;
}
