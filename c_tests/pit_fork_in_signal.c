/* what: a signal handler forks, also in a thread; the child uses the heap.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static volatile pid_t child;
static int in_child;

static void handler(int signal) {
    (void)signal;
    pid_t made = fork();
    if (made == 0) {
        exercise(3, 500);
        in_child = 1;
        return;
    }
    child = made;
}

static void *thread(void *none) {
    for (int i = 0; i < 20; i++) {
        child = 0;
        raise(SIGUSR1);
        if (in_child) {
            exercise(4, 500);
            exit(0);
        }
        CHECK(child > 0 && ended_well(child));
    }
    return none;
}

int main(void) {
    signal(SIGUSR1, handler);
    void *p = get(1000);
    thread(NULL);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    free(p);
    return 0;
}
