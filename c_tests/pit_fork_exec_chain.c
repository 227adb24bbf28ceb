/* what: a program that execs itself 30 times, from main, a thread and a child, keeps arguments, environment and exit code.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static char number[16], *arguments[3] = {NULL, number, NULL};

static void *goes_on(void *none) {
    (void)none;
    execv(own_path(), arguments);
    _exit(3);
}

int main(int argc, char **argv) {
    int left = argc > 1 ? atoi(argv[1]) : 30;
    if (argc == 1) {
        CHECK(setenv("PIT_CARRIED", "from the first", 1) == 0);
    }
    CHECK(strcmp(getenv("PIT_CARRIED"), "from the first") == 0);
    exercise((unsigned long)left, 300);
    if (left == 0) {
        return 0;
    }
    snprintf(number, sizeof number, "%d", left - 1);
    arguments[0] = argv[0];
    errno = 0;
    CHECK(execv("/does/not/exist", arguments) == -1);
    CHECK_ERRNO(ENOENT);
    free(get(100));
    if (left % 3 == 0) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, goes_on, NULL) == 0);
        pause();
    } else if (left % 3 == 1) {
        pid_t child = fork();
        if (child == 0) {
            goes_on(NULL);
        }
        return ended_well(child) ? 0 : 1;
    }
    goes_on(NULL);
}
