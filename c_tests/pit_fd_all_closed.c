/* what: a program that closes every descriptor there is, lets its own files take all the numbers, and goes on: only its own bytes are in them.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    for (int round = 0; round < 3; round++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            struct rlimit most = {1100, 1100};
            setrlimit(RLIMIT_NOFILE, &most);
            if (round == 1) {
                closefrom(0);
            } else {
                for (int fd = 0; fd < 20000; fd++) {
                    close(fd);
                }
            }
            exercise(1, 1000);
            int file = open("taken", O_RDWR | O_CREAT | O_TRUNC, 0600);
            if (file != 0 || write(0, "mine", 4) != 4) {
                _exit(2);
            }
            while (dup(file) >= 0) {
            }
            exercise(2, 1000);
            if (round == 2) {
                _exit(0);
            }
            exit(0);
        }
        CHECK(ended_well(child));
        char text[100];
        int fd = open("taken", O_RDONLY);
        CHECK(fd >= 0);
        CHECK(read(fd, text, sizeof text) == 4 && memcmp(text, "mine", 4) == 0);
        close(fd);
    }
    return 0;
}
