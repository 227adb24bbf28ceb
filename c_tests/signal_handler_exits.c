/* what: a signal handler that calls exit in the middle of malloc ends the process with its code. (glibc's may hang.)
 * plain: no
 * stdout: ^ended 30$
 */
#include "check.h"
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/wait.h>

static void handler(int signal) {
    (void)signal;
    exit(19);
}

int main(void) {
    int ended = 0;
    for (int round = 0; round < 30; round++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            CHECK(signal(SIGALRM, handler) != SIG_ERR);
            struct itimerval once = {{0, 0}, {0, 1000 + round * 100}};
            CHECK(setitimer(ITIMER_REAL, &once, NULL) == 0);
            for (size_t i = 0;; i++) {
                char *p = malloc(i % 50 ? i % 3000 : 200000);
                p[0] = 1;
                free(p);
            }
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        ended += WIFEXITED(status) && WEXITSTATUS(status) == 19;
    }
    printf("ended %d\n", ended);
    return 0;
}
