/* what: each form of exec starts the program with exactly the arguments and the environment it was given.
 * stdout: ^all seven$
 */
#include "check.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#define SELF "/proc/self/exe"

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "child") == 0) {
        CHECK(argc == 8);
        for (int i = 2; i < 8; i++) {
            CHECK(argv[i][0] == 'a' + i - 2 && argv[i][1] == 0);
        }
        CHECK(getenv("FORM") != NULL);
        return 40 + atoi(getenv("FORM"));
    }
    char path[4096];
    ssize_t length = readlink(SELF, path, sizeof path - 1);
    CHECK(length > 0);
    path[length] = 0;
    for (int form = 1; form <= 7; form++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            char value[] = "FORM=0";
            value[5] = (char)('0' + form);
            putenv(value);
            char *args[] = {path,        (char *)"child", (char *)"a", (char *)"b", (char *)"c",
                            (char *)"d", (char *)"e",     (char *)"f", NULL};
            switch (form) {
            case 1: execv(path, args); break;
            case 2: execve(path, args, environ); break;
            case 3: execvp(path, args); break;
            case 4: execl(path, path, "child", "a", "b", "c", "d", "e", "f", (char *)NULL); break;
            case 5: execlp(path, path, "child", "a", "b", "c", "d", "e", "f", (char *)NULL); break;
            case 6: execle(path, path, "child", "a", "b", "c", "d", "e", "f", (char *)NULL, environ); break;
            case 7: fexecve(open(path, O_RDONLY), args, environ); break;
            }
            _exit(1);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 40 + form);
    }
    puts("all seven");
    return 0;
}
