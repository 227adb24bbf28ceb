/* what: the program's first open gets number 3; a child started by exec inherits no descriptor beyond the program's own.
 * mode: preload
 */
#include "pit.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        for (int fd = 3; fd < 20000; fd++) {
            int flags = fcntl(fd, F_GETFD);
            CHECK(flags == -1 || flags & FD_CLOEXEC);
        }
        return 0;
    }
    closefrom(3);
    int fd = open("/dev/null", O_RDONLY);
    CHECK(fd == 3);
    close(fd);
    for (int way = 0; way < 2; way++) {
        pid_t child = fork();
        if (child == 0) {
            CHECK(open("/dev/null", O_RDONLY) == 3);
            close(3);
            execl(own_path(), argv[0], "child", (char *)NULL);
            _exit(5);
        }
        CHECK(ended_well(child));
    }
    return 0;
}
