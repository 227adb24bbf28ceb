/* what: a program turns itself into a daemon: whoever reads its output sees end-of-file while the daemon lives on, and the daemon writes to nothing of theirs.
 * mode: preload
 */
#include "pit.h"
#include <poll.h>

static void daemonise(int way, int to_parent) {
    if (way == 0) {
        CHECK(daemon(1, 0) == 0);
    } else {
        if (fork() > 0) {
            _exit(0);
        }
        setsid();
        if (fork() > 0) {
            _exit(0);
        }
        int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; fd++) {
            dup2(null, fd);
        }
        close(null);
    }
    pid_t self = getpid();
    CHECK(write(to_parent, &self, sizeof self) == (ssize_t)sizeof self);
    close(to_parent);
    exercise(1, 500);
    sleep(20);
    _exit(0);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        exercise(2, 100);
        daemonise(atoi(argv[1]), atoi(argv[2]));
    }
    for (int way = 0; way < 2; way++) {
        int out[2], from[2];
        CHECK(pipe(out) == 0 && pipe(from) == 0);
        pid_t child = fork();
        if (child == 0) {
            char which[2] = {(char)('0' + way), 0}, number[12];
            close(out[0]);
            close(from[0]);
            dup2(out[1], 1);
            dup2(out[1], 2);
            close(out[1]);
            snprintf(number, sizeof number, "%d", from[1]);
            execl(own_path(), argv[0], which, number, (char *)NULL);
            _exit(5);
        }
        close(out[1]);
        close(from[1]);
        CHECK(ended_well(child));
        pid_t daemon_pid = 0;
        CHECK(read(from[0], &daemon_pid, sizeof daemon_pid) == (ssize_t)sizeof daemon_pid);
        /* Dumps of the processes that ended may come, then the end must. */
        int ended = 0;
        double end = seconds() + 3;
        while (!ended && seconds() < end) {
            struct pollfd p = {out[0], POLLIN, 0};
            char text[8192];
            if (poll(&p, 1, 100) > 0) {
                ended = read(out[0], text, sizeof text) == 0;
            }
        }
        int alive = kill(daemon_pid, 0) == 0;
        kill(daemon_pid, SIGKILL);
        CHECK(ended);
        CHECK(alive);
        close(out[0]);
        close(from[0]);
    }
    return 0;
}
