/* what: a background process whose terminal stops writers (stty tostop) is not stopped by its dump.
 * plain: no
 */
#include "run_self.h"
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        return 0;
    }
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    pid_t leader = fork();
    CHECK(leader >= 0);
    if (leader == 0) {
        CHECK(setsid() > 0);
        int other = open(ptsname(terminal), O_RDWR);
        CHECK(other >= 0 && ioctl(other, TIOCSCTTY, 0) == 0);
        struct termios how;
        CHECK(tcgetattr(other, &how) == 0);
        how.c_lflag |= TOSTOP;
        CHECK(tcsetattr(other, TCSANOW, &how) == 0);
        pid_t child = fork();
        if (child == 0) {
            setpgid(0, 0);
            dup2(other, 2);
            execl("/proc/self/exe", "self", "child", (char *)NULL);
            _exit(9);
        }
        int status;
        CHECK(waitpid(child, &status, WUNTRACED) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        _exit(0);
    }
    int status;
    CHECK(waitpid(leader, &status, 0) == leader && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    static struct seen seen;
    struct pollfd ready = {terminal, POLLIN, 0};
    CHECK(poll(&ready, 1, 1000) == 1);
    ssize_t got = read(terminal, seen.text, sizeof seen.text - 1);
    CHECK(got > 0);
    CHECK(strstr(seen.text, "== mems "));
    return 0;
}
