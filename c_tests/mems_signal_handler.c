/* what: a signal handler that calls mems_* while the program is inside one is not blocked, and does no harm.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"
#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;

static void tick(int signal) {
    (void)signal;
    void *p = mems_malloc(77);
    if (p) {
        mems_get(p);
        mems_free(p);
    }
    ticks++;
}

int main(void) {
    struct sigaction action = {.sa_handler = tick};
    struct itimerval every = {{0, 200}, {0, 200}};
    mems_init();
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    char *live[100] = {0};
    for (int i = 0; ticks < 1000; i++) {
        char **p = &live[i % 100];
        if (*p) {
            CHECK(holds_only(mems_get(*p), i % 100, 50));
            mems_free(*p);
        }
        do {
            *p = mems_malloc(50);
        } while (!*p);
        memset(mems_get(*p), i % 100, 50);
    }
    every = (struct itimerval){{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    for (int i = 0; i < 100; i++) {
        mems_free(live[i]);
    }
    CHECK(mems_malloc(4096) == (void *)1000);
    mems_finish();
    return 0;
}
