/* what: no /proc, no files, nothing but the process itself (chroot into an empty directory, where that is allowed): the heap and the end need none.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static void *thread(void *none) {
    exercise(3, 1000);
    return none;
}

int main(void) {
    for (int way = 0; way < 3; way++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            mkdir("empty", 0700);
            if (chroot("empty") != 0 || chdir("/") != 0) {
                CHECK(errno == EPERM);
            }
            exercise(1, 2000);
            pthread_t t;
            CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
            CHECK(pthread_join(t, NULL) == 0);
            malloc_trim(0);
            struct mallinfo2 m = mallinfo2();
            CHECK(m.uordblks < 64 << 20);
            if (way == 1) {
                _exit(0);
            }
            if (way == 2) {
                pid_t grandchild = fork();
                if (grandchild == 0) {
                    exercise(4, 100);
                    exit(0);
                }
                CHECK(ended_well(grandchild));
            }
            exit(0);
        }
        CHECK(ended_well(child));
    }
    return 0;
}
