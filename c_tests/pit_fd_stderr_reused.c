/* what: a program that closes stderr and gets number 2 for a socket or a file: nothing of ours arrives there.
 * mode: preload
 */
#include "pit.h"
#include <sys/socket.h>

static void child(int way, int to) {
    exercise((unsigned long)way, 500);
    close(2);
    CHECK(dup(to) == 2);
    close(to);
    CHECK(write(2, "mine", 4) == 4);
    if (way == 1) {
        _exit(0);
    } else if (way == 2) {
        setenv("MEMS_STATS", "off", 1); /* stderr of the new program is what number 2 is now */
        execl("/bin/true", "true", (char *)NULL);
    } else if (way == 3) {
        quick_exit(0);
    }
    exit(0);
}

int main(void) {
    for (int way = 0; way < 8; way++) {
        int pair[2];
        if (way < 4) {
            CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        } else {
            CHECK(pipe(pair) == 0);
        }
        pid_t made = fork();
        CHECK(made >= 0);
        if (made == 0) {
            close(pair[0]);
            child(way % 4, pair[1]);
        }
        close(pair[1]);
        char text[5000];
        size_t have = 0;
        ssize_t n;
        while ((n = read(pair[0], text + have, sizeof text - have)) > 0) {
            have += (size_t)n;
        }
        CHECK(ended_well(made));
        CHECK(have == 4 && memcmp(text, "mine", 4) == 0);
        close(pair[0]);
    }
    return 0;
}
