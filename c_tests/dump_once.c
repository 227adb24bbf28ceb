/* what: many threads end the process at once, by exit and by _exit: one dump, whole.
 * flags: -pthread
 * plain: no
 */
#include "run_self.h"
#include <pthread.h>

static pthread_barrier_t all;

static void *leave(void *way) {
    pthread_barrier_wait(&all);
    if ((intptr_t)way % 2) {
        _exit(0);
    }
    exit(0);
}

static void leave_again(void) { _exit(0); }

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        atexit(leave_again);
        CHECK(pthread_barrier_init(&all, NULL, 8) == 0);
        for (intptr_t i = 0; i < 8; i++) {
            pthread_t t;
            CHECK(pthread_create(&t, NULL, leave, (void *)i) == 0);
        }
        pause();
    }
    static struct seen seen;
    for (int i = 0; i < 50; i++) {
        run_self(&seen, "child", NULL);
        CHECK(ended_with(&seen, 0));
        if (times(seen.text, "== mems ") != 1) {
            check_put(seen.text);
        }
        CHECK(times(seen.text, "== mems ") == 1 && times(seen.text, "\n====") == 1);
        CHECK(seen.text[seen.length - 1] == '\n');
    }
    return 0;
}
