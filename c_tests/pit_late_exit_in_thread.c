/* what: exit called by a thread while others allocate, many times over.
 * mode: preload
 * flags: -pthread
 * links: pit_late
 */
#include "pit.h"

void late_give(void *p);

static void *busy(void *seed) {
    for (unsigned long i = (unsigned long)seed;; i++) {
        exercise(i, 100);
    }
    return NULL;
}

static void *ends(void *none) {
    usleep(2000);
    exit(7);
    return none;
}

int main(void) {
    for (int i = 0; i < 30; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            pthread_t t;
            late_give(get(100));
            for (long k = 0; k < 3; k++) {
                CHECK(pthread_create(&t, NULL, busy, (void *)(k * 1000)) == 0);
            }
            CHECK(pthread_create(&t, NULL, ends, NULL) == 0);
            pause();
        }
        int status = wait_for(child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
    return 0;
}
