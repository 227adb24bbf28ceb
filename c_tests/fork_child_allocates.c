/* what: a child of fork in a multi-threaded program allocates and frees at once, its parent's blocks included.
 * flags: -pthread
 * mode: both
 */
#include "check.h"
#include <pthread.h>
#include <sys/wait.h>

static volatile int stop;

static void *busy(void *arg) {
    uint32_t n = (uint32_t)(uintptr_t)arg;
    void *held[64] = {0};
    while (!stop) {
        n = n * 1664525 + 1013904223;
        free(held[n % 64]);
        held[n % 64] = malloc((n >> 8) % ((n & 1024) ? 200000 : 2000));
    }
    for (int i = 0; i < 64; i++) {
        free(held[i]);
    }
    return NULL;
}

static int child(char **kept) {
    for (int i = 0; i < 100; i++) {
        CHECK(holds_only(kept[i], i, 300));
        free(kept[i]);
    }
    for (size_t i = 0; i < 20000; i++) {
        size_t size = i % 100 == 0 ? i * 20 : i % 700;
        char *p = malloc(size);
        CHECK(p != NULL);
        memset(p, 1, size);
        free(p);
    }
    pthread_t t;
    stop = 1;
    CHECK(pthread_create(&t, NULL, busy, (void *)5) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    return 17;
}

int main(void) {
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, busy, (void *)(i + 1)) == 0);
    }
    for (int round = 0; round < 60; round++) {
        char *kept[100];
        for (int i = 0; i < 100; i++) {
            kept[i] = malloc(300);
            CHECK(kept[i] != NULL);
            memset(kept[i], i, 300);
        }
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            _exit(child(kept));
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 17);
        for (int i = 0; i < 100; i++) {
            CHECK(holds_only(kept[i], i, 300));
            free(kept[i]);
        }
    }
    stop = 1;
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    return 0;
}
