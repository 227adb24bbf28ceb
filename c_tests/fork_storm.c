/* what: four threads that fork all the time, under load, never leave a child that hangs.
 * flags: -pthread
 */
#include "check.h"
#include <pthread.h>
#include <sys/wait.h>

static void *forker(void *arg) {
    (void)arg;
    for (int round = 0; round < 60; round++) {
        void *held[20];
        for (int i = 0; i < 20; i++) {
            held[i] = malloc((size_t)(round * 31 + i * 977));
            CHECK(held[i] != NULL);
        }
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            for (int i = 0; i < 20; i++) {
                free(held[i]);
            }
            for (size_t i = 1; i < 500; i++) {
                void *p = malloc(i * 50);
                CHECK(p != NULL);
                free(p);
            }
            _exit(3);
        }
        for (int i = 0; i < 20; i++) {
            free(held[i]);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, forker, NULL) == 0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    return 0;
}
