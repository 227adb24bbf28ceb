/* what: RLIMIT_FSIZE of 0 with stderr a file, or a full device: no SIGXFSZ, no other exit code.
 * mode: preload
 * plain: yes
 */
#include "pit.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        exercise(1, 1000);
        return 7;
    }
    for (int way = 0; way < 2; way++) {
        pid_t child = fork();
        if (child == 0) {
            int fd = way ? open("/dev/full", O_WRONLY) : open("errors", O_RDWR | O_CREAT | O_TRUNC, 0600);
            CHECK(fd >= 0 && dup2(fd, 2) == 2);
            close(fd);
            if (!way) {
                struct rlimit none = {0, 0};
                setrlimit(RLIMIT_FSIZE, &none);
            }
            execl(own_path(), argv[0], "child", (char *)NULL);
            _exit(5);
        }
        int status = wait_for(child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
    return 0;
}
