/* what: exit and _exit called inside a signal handler that came in anywhere, inside malloc and free too: the code arrives, nothing hangs.
 * mode: preload
 */
#include "pit.h"

static void leaves(int signal) {
    exit(signal == SIGALRM ? 11 : 12);
}

static void leaves_at_once(int signal) {
    (void)signal;
    _exit(11);
}

int main(void) {
    for (int i = 0; i < 60; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            void *keep[64];
            memset(keep, 0, sizeof keep);
            signal(SIGALRM, i % 2 ? leaves : leaves_at_once);
            struct itimerval once = {{0, 0}, {0, 500 + i * 37 % 3000}};
            CHECK(setitimer(ITIMER_REAL, &once, NULL) == 0);
            for (unsigned k = 0;; k++) {
                free(keep[k % 64]);
                keep[k % 64] = get(k * 7919u % 60000);
            }
        }
        double end = seconds() + 5;
        int status;
        pid_t done;
        while ((done = waitpid(child, &status, WNOHANG)) == 0 && seconds() < end) {
            usleep(200);
        }
        if (done == 0) {
            kill(child, SIGKILL);
            wait_for(child);
        }
        CHECK(done == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 11);
    }
    return 0;
}
