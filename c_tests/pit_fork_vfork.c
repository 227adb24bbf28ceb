/* what: a vfork child that allocates, then execs, fails to exec, or leaves by _exit, leaves the parent's heap sound.
 * mode: preload
 * flags: -pthread -Wno-deprecated-declarations
 */
#include "pit.h"

static int stop;
static void *busy(void *seed) {
    for (unsigned long i = (unsigned long)seed; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        exercise(i, 100);
    }
    return NULL;
}

int main(void) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, busy, NULL) == 0);
    for (int i = 0; i < 150; i++) {
        void *volatile p = get(200);
        volatile pid_t child = vfork();
        CHECK(child >= 0);
        if (child == 0) {
            free(p);
            p = get(300);
            if (i % 3 == 0) {
                execl("/bin/true", "true", (char *)NULL);
            } else if (i % 3 == 1) {
                execl("/does/not/exist", "no", (char *)NULL);
                _exit(errno == ENOENT ? 0 : 1);
            }
            _exit(0);
        }
        CHECK(ended_well(child));
        free(p);
        exercise((unsigned long)i, 100);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    CHECK(pthread_join(t, NULL) == 0);
    return 0;
}
