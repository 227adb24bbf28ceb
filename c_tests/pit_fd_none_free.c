/* what: no free descriptor at start or later: the heap needs none, the program ends well.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static void *thread(void *none) {
    exercise(5, 1000);
    return none;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        /* Three descriptors and the limit so low that the loader just works. */
        CHECK(open("/dev/null", O_RDONLY) == 3);
        CHECK(open("/dev/null", O_RDONLY) == -1);
        CHECK_ERRNO(EMFILE);
        exercise(1, 1000);
        return 0;
    }
    pid_t child = fork();
    if (child == 0) {
        struct rlimit four = {4, 4};
        closefrom(3);
        CHECK(setrlimit(RLIMIT_NOFILE, &four) == 0);
        execl(own_path(), argv[0], "child", (char *)NULL);
        _exit(5);
    }
    CHECK(ended_well(child));
    struct rlimit some = {64, 64};
    CHECK(setrlimit(RLIMIT_NOFILE, &some) == 0);
    while (dup(0) >= 0) {
    }
    CHECK_ERRNO(EMFILE);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    thread(NULL);
    return 0;
}
