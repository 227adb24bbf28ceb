/* what: a signal handler that ends the process in the middle of malloc, free, or a dump that has begun: always one dump,
 *       never a hang.
 * plain: no
 */
#include "run_self.h"
#include <signal.h>
#include <sys/time.h>

static int way;

static void handler(int signal) {
    (void)signal;
    switch (way % 3) {
    case 0: exit(3);
    case 1: _exit(3);
    case 2: quick_exit(3);
    }
}

int main(int argc, char **argv) {
    if (argc > 1) {
        way = atoi(argv[1]);
        alarm(20);
        signal(SIGVTALRM, handler);
        struct itimerval soon = {{0, 0}, {0, 300 + way * 37}};
        CHECK(setitimer(ITIMER_VIRTUAL, &soon, NULL) == 0);
        if (way % 4 == 3) {
            usleep(1);
            _exit(3);
        }
        void *p[64] = {0};
        for (size_t i = 0;; i++) {
            free(p[i % 64]);
            p[i % 64] = malloc(unknown(i * 7919 % (i % 16 ? 2000 : 200000)));
        }
    }
    static struct seen seen;
    for (int i = 0; i < 60; i++) {
        char which[10];
        snprintf(which, sizeof which, "%d", i);
        run_self(&seen, which, NULL);
        CHECK(ended_with(&seen, 3));
        CHECK(times(seen.text, "== mems ") == 1 && times(seen.text, "\n====") == 1);
    }
    return 0;
}
