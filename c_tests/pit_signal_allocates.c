/* what: a handler allocates, frees and resizes where the main code is outside the heap: in a loop of its own, in sleep, on a signal stack from the heap.
 * mode: preload
 */
#include "pit.h"

static volatile int hits;
static void *kept;

static void handler(int signal) {
    (void)signal;
    kept = resize(kept, (size_t)hits % 3000 + 1);
    CHECK(kept);
    free(get_zeroed(3, 50));
    hits++;
}

int main(void) {
    stack_t own;
    memset(&own, 0, sizeof own);
    own.ss_size = 64 << 10;
    own.ss_sp = get(own.ss_size);
    CHECK(sigaltstack(&own, NULL) == 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_ONSTACK;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval every = {{0, 500}, {0, 500}};
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    double end = seconds() + 8;
    for (int i = 0; hits < 400 && seconds() < end; i++) {
        if (i % 2) {
            for (volatile int k = 0; k < 100000; k++) {
            }
        } else {
            pause();
        }
        sigprocmask(SIG_BLOCK, &alarm_only, NULL);
        exercise((unsigned long)i, 50);
        sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    }
    CHECK(hits >= 400);
    memset(&every, 0, sizeof every);
    setitimer(ITIMER_REAL, &every, NULL);
    own.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&own, NULL) == 0);
    free(own.ss_sp);
    free(kept);
    return 0;
}
