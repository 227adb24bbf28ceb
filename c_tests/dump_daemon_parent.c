/* what: daemon(3) works, and the parent that it ends leaves its dump.
 * plain: no
 */
#include "run_self.h"

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        pid_t before = getpid();
        CHECK(daemon(0, 0) == 0);
        char where[10];
        CHECK(getpid() != before && getsid(0) == getpid());
        CHECK(getcwd(where, sizeof where) && strcmp(where, "/") == 0);
        return 3;
    }
    static struct seen seen;
    run_self(&seen, "child", NULL);
    CHECK(ended_with(&seen, 0));
    CHECK(times(seen.text, "== mems ") == 1 && strstr(seen.text, " _exit 0 after "));
    return 0;
}
