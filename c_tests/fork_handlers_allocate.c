/* what: fork handlers of the program may allocate and free, before and after, in parent and child.
 * flags: -pthread
 */
#include "check.h"
#include <pthread.h>
#include <sys/wait.h>

static void *made[3];

static void again(int which) {
    free(made[which]);
    made[which] = malloc(1000);
    CHECK(made[which] != NULL);
    memset(made[which], 1, 1000);
}
static void prepare(void) { again(0); }
static void parent(void) { again(1); }
static void child(void) { again(2); }

static volatile int stop;
static void *busy(void *arg) {
    while (!stop) {
        free(malloc(100));
    }
    return arg;
}

/* As early as a program can, so that MeMS' own handlers, if any, come after. */
__attribute__((constructor(101))) static void early(void) { CHECK(pthread_atfork(prepare, parent, child) == 0); }

int main(void) {
    CHECK(pthread_atfork(prepare, parent, child) == 0);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, busy, NULL) == 0);
    for (int round = 0; round < 100; round++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            _exit(made[2] ? 8 : 9);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 8);
    }
    stop = 1;
    CHECK(pthread_join(t, NULL) == 0);
    return 0;
}
