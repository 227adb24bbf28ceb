/* what: a forked child has a copy that works, also when other threads are inside at the fork.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * flags: -pthread
 */
#include "check.h"
#include "mems.h"
#include <pthread.h>
#include <sys/wait.h>

static volatile int stop;

static void *churn(void *arg) {
    (void)arg;
    while (!stop) {
        void *p = mems_malloc(100);
        mems_get(p);
        mems_free(p);
    }
    return NULL;
}

int main(void) {
    pthread_t thread[2];
    mems_init();
    char *mine = mems_malloc(1000);
    char *at = mems_get(mine);
    memset(at, 'p', 1000);
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&thread[i], NULL, churn, NULL) == 0);
    }
    for (int round = 0; round < 100; round++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            CHECK(mems_get(mine) == at);
            CHECK(holds_only(at, 'p', 1000));
            memset(at, 'c', 1000);
            void *more = mems_malloc(5000);
            CHECK(more != NULL);
            memset(mems_get(more), 'c', 5000);
            mems_free(more);
            mems_free(mine);
            mems_finish();
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
        CHECK(holds_only(mems_get(mine), 'p', 1000));
    }
    stop = 1;
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(thread[i], NULL) == 0);
    }
    mems_finish();
    return 0;
}
