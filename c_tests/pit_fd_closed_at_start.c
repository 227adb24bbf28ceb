/* what: a program started with descriptors 0, 1 and 2 closed: its files take those numbers and receive only what it writes.
 * mode: preload
 */
#include "pit.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        char name[64];
        for (int i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "file%d", i);
            CHECK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600) == i);
            CHECK(write(i, "mine\n", 5) == 5);
        }
        exercise(1, 1000);
        switch (atoi(argv[1])) {
        case 0: return 0;
        case 1: exit(0);
        case 2: _exit(0);
        default: setenv("MEMS_STATS", "off", 1), execl("/bin/true", "true", (char *)NULL); _exit(1);
        }
    }
    for (int way = 0; way < 4; way++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            char which[4] = {(char)('0' + way), 0};
            close(0);
            close(1);
            close(2);
            execl(own_path(), argv[0], which, (char *)NULL);
            _exit(5);
        }
        CHECK(ended_well(child));
        for (int i = 0; i < 3; i++) {
            char name[64], text[100];
            snprintf(name, sizeof name, "file%d", i);
            int fd = open(name, O_RDONLY);
            CHECK(fd >= 0 && read(fd, text, sizeof text) == 5 && memcmp(text, "mine\n", 5) == 0);
            close(fd);
        }
    }
    return 0;
}
