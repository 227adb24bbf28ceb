/* what: hardened, the blocks of a size come in random order, in another one in each run, and a freed one comes back late.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 */
#include "pit.h"

enum { COUNT = 64 };

static unsigned order(void) {
    unsigned char *p[COUNT];
    unsigned ups = 0, hash = 0;
    for (int i = 0; i < COUNT; i++) {
        p[i] = get(96);
        if (i && p[i] > p[i - 1]) {
            ups++;
        }
        hash = hash * 31 + (unsigned)((uintptr_t)p[i] & 0xffff);
    }
    /* In address order ups would be COUNT - 1 or 0; at random it is about half. */
    CHECK(ups > COUNT / 8 && ups < COUNT / 8 * 7);
    for (int i = 0; i < COUNT; i++) {
        free(p[i]);
    }
    return hash;
}

int main(void) {
    int pipes[2];
    unsigned seen[4];
    CHECK(pipe(pipes) == 0);
    if (getenv("MEMS_TEST_CHILD")) {
        unsigned mine = order();
        return write(3, &mine, sizeof mine) != sizeof mine;
    }
    setenv("MEMS_TEST_CHILD", "1", 1);
    for (int i = 0; i < 4; i++) {
        pid_t child = fork();
        if (child == 0) {
            dup2(pipes[1], 3);
            execl(own_path(), "child", (char *)NULL);
            _exit(5);
        }
        CHECK(ended_well(child));
        CHECK(read(pipes[0], &seen[i], sizeof seen[i]) == sizeof seen[i]);
    }
    CHECK(seen[0] != seen[1] || seen[1] != seen[2] || seen[2] != seen[3]);
    void *freed = get(96);
    free(freed);
    for (int i = 0; i < 32; i++) {
        void *next = get(96);
        CHECK(next != freed);
        free(next);
    }
    return 0;
}
