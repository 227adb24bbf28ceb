/* what: stderr is a pipe that is full and that nobody reads: the program ends all the same, and soon.
 * mode: preload
 */
#include "pit.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        exercise(1, 1000);
        if (argv[1][0] == '1') {
            _exit(7);
        }
        return 7;
    }
    for (int way = 0; way < 3; way++) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0) {
            char block[4096];
            memset(block, 'x', sizeof block);
            fcntl(ends[1], F_SETFL, O_NONBLOCK);
            while (write(ends[1], block, sizeof block) > 0) {
            }
            while (write(ends[1], block, 1) > 0) {
            }
            if (way != 2) {
                fcntl(ends[1], F_SETFL, 0);
            }
            CHECK(dup2(ends[1], 2) == 2);
            execl(own_path(), argv[0], way == 1 ? "1" : "0", (char *)NULL);
            _exit(5);
        }
        double end = seconds() + 5;
        int status;
        pid_t done;
        while ((done = waitpid(child, &status, WNOHANG)) == 0 && seconds() < end) {
            usleep(1000);
        }
        if (done == 0) {
            kill(child, SIGKILL);
            wait_for(child);
        }
        CHECK(done == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}
