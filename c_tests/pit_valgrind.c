/* what: the program runs on valgrind's processor (no memory tool), which knows baseline instructions only.
 * mode: preload
 * flags: -pthread
 * needs: valgrind
 */
#include "pit.h"

static void *thread(void *none) {
    exercise(2, 500);
    return none;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        exercise(1, 1000);
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        return 7;
    }
    pid_t child = fork();
    if (child == 0) {
        execlp("valgrind", "valgrind", "-q", "--tool=none", own_path(), argv[0], (char *)NULL);
        _exit(5);
    }
    int status = wait_for(child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return 0;
}
