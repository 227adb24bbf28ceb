/* what: a program started with an empty argv[0], with line feeds, escapes, bytes that are no UTF-8, 100 kB in one argument, 5,000 arguments, or an environment without anything.
 * mode: preload
 */
#include "pit.h"

extern char **environ;

static int starts(char *const argv[], char *const envp[]) {
    pid_t child = fork();
    if (child == 0) {
        execve(own_path(), argv, envp);
        _exit(5);
    }
    int status = wait_for(child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

int main(int argc, char **argv) {
    if (argc > 1 || argv[0] == NULL || argv[0][0] == 0) {
        exercise(1, 500);
        return 7;
    }
    static char huge[100001];
    memset(huge, 'h', 100000);
    static char *many[5002];
    for (int i = 0; i < 5001; i++) {
        many[i] = (char *)"an argument";
    }
    char *nothing[] = {NULL};
    char *empty[] = {(char *)"", NULL};
    char *odd[] = {(char *)"a\nb\x1b[31m\t\"\\", (char *)"\xff\xfe\x80\xc3", (char *)"\x01\x02\n\n", NULL};
    char *long_one[] = {argv[0], huge, NULL};
    char *long_name[] = {huge, huge, NULL};
    CHECK(starts(empty, environ));
    CHECK(starts(odd, environ));
    CHECK(starts(long_one, environ));
    CHECK(starts(long_name, environ));
    CHECK(starts(many, environ));
    CHECK(starts(nothing, environ));
    /* Without LD_PRELOAD we are not there; the program must not depend on us. */
    CHECK(starts(long_one, nothing));
    return 0;
}
