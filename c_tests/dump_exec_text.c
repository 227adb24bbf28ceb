/* what: exec leaves one line; a forked child that goes on to exec leaves nothing, and a vfork child neither; a script
 *       without #! that execvp hands to the shell counts once.
 * plain: no
 */
#include "run_self.h"
#include <sys/stat.h>

int main(int argc, char **argv) {
    if (argc > 1) {
        int status;
        pid_t child;
        switch (argv[1][0]) {
        case '0': execl("/bin/true", "true", (char *)NULL); break;
        case '1':
            child = fork();
            if (child == 0) {
                execl("/bin/true", "true", (char *)NULL);
                _exit(1);
            }
            CHECK(waitpid(child, &status, 0) == child && status == 0);
            return 0;
        case '2':
            child = vfork();
            if (child == 0) {
                execl("/bin/true", "true", (char *)NULL);
                _exit(1);
            }
            CHECK(waitpid(child, &status, 0) == child && status == 0);
            return 0;
        case '3':
            child = vfork();
            if (child == 0) {
                _exit(3);
            }
            CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
            return 0;
        case '4': execlp("./script", "script", "one", "two", (char *)NULL); break;
        }
        return 9;
    }
    int file = open("script", O_WRONLY | O_CREAT, 0700);
    const char *text = "test \"$1 $2\" = 'one two' || exit 1\n";
    CHECK(write(file, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(file, 0700) == 0 && close(file) == 0);
    int lines[] = {1, 0, 0, 0, 1}, dumps[] = {1, 2, 2, 1, 1};
    static struct seen seen;
    for (int way = 0; way < 5; way++) {
        char which[2] = {(char)('0' + way), 0};
        run_self(&seen, which, NULL);
        CHECK(ended_with(&seen, 0));
        CHECK(times(seen.text, ": exec, ") == lines[way]);
        CHECK(times(seen.text, "== mems ") == dumps[way]);
    }
    return 0;
}
