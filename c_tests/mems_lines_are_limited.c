/* what: a thousand wrong calls give a few lines on stderr, the last of which says that it is the last.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * flags: -pthread
 */
#include "check.h"
#include "mems.h"
#include <sys/wait.h>

int main(int argc, char **argv) {
    if (argc > 1) {
        mems_init();
        for (uintptr_t i = 0; i < 1000; i++) {
            mems_free((void *)i);
        }
        for (uintptr_t i = 0; i < 1000; i++) {
            CHECK(mems_get((void *)i) == NULL);
        }
        return 0;
    }
    int ends[2];
    char text[65536];
    size_t have = 0;
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        setenv("MEMS_STATS", "off", 1);
        execl("/proc/self/exe", argv[0], "child", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    for (ssize_t got; (got = read(ends[0], text + have, sizeof text - 1 - have)) > 0;) {
        have += (size_t)got;
    }
    text[have] = 0;
    int status, lines = 0;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    for (char *at = text; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    CHECK(lines == 20);
    CHECK(strstr(text, "further lines of this kind are not shown") != NULL);
    CHECK(strstr(text, "mems: mems_free(0): unknown address") != NULL);
    CHECK(strstr(text, "mems: mems_get(0): no live segment") != NULL);
    return 0;
}
