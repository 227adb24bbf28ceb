/* what: stderr is a pipe whose reader has gone: the exit code stays the program's, no SIGPIPE; a handler of the program is not called.
 * mode: preload
 */
#include "pit.h"

static void handler(int signal) {
    (void)signal;
    _exit(99);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        exercise(1, 1000);
        switch (argv[1][0]) {
        case '0': return 7;
        case '1': _exit(7);
        case '2': signal(SIGPIPE, handler); return 7;
        case '3': signal(SIGPIPE, SIG_IGN); exit(7);
        default: execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL); _exit(5);
        }
    }
    for (char way = '0'; way < '5'; way++) {
        int ends[2];
        char which[2] = {way, 0};
        CHECK(pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0) {
            CHECK(dup2(ends[1], 2) == 2);
            close(ends[0]);
            close(ends[1]);
            execl(own_path(), argv[0], which, (char *)NULL);
            _exit(5);
        }
        close(ends[0]);
        close(ends[1]);
        int status = wait_for(child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
    return 0;
}
