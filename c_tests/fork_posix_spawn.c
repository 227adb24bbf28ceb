/* what: posix_spawn, system and popen start programs from a multi-threaded process under load.
 * flags: -pthread
 * stdout: ^forty 40$
 */
#include "check.h"
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

static volatile int stop;
static void *busy(void *arg) {
    for (size_t i = 0; !stop; i++) {
        free(malloc(i % 10000));
    }
    return arg;
}

int main(void) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, busy, NULL) == 0);
    for (int round = 0; round < 40; round++) {
        char *args[] = {(char *)"sh", (char *)"-c", (char *)"exit 6", NULL};
        pid_t pid;
        CHECK(posix_spawn(&pid, "/bin/sh", NULL, NULL, args, environ) == 0);
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
    }
    int status = system("exit 5");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    FILE *pipe = popen("echo forty 40", "r");
    char line[100];
    CHECK(pipe && fgets(line, sizeof line, pipe));
    fputs(line, stdout);
    CHECK(pclose(pipe) == 0);
    stop = 1;
    CHECK(pthread_join(t, NULL) == 0);
    return 0;
}
