/* what: an exec that cannot work leaves no dump; counting goes on, and the end leaves the one dump with all of it. An exec
 *       that looks good and fails (no such interpreter) leaves its line, and the end the dump.
 * plain: no
 */
#include "run_self.h"
#include <sys/stat.h>

int main(int argc, char **argv) {
    if (argc > 1) {
        CHECK(malloc(unknown(100)) != NULL);
        if (argv[1][0] == '0') {
            CHECK(execl("/nonexistent", "x", (char *)NULL) == -1);
            CHECK(execl("/etc/passwd", "x", (char *)NULL) == -1);
            CHECK(execl("/tmp", "x", (char *)NULL) == -1);
            CHECK(execlp("no-such-program", "x", (char *)NULL) == -1);
        } else {
            CHECK(execl("./strange", "x", (char *)NULL) == -1);
            CHECK_ERRNO(ENOENT);
        }
        CHECK(malloc(unknown(100)) != NULL);
        return 0;
    }
    int file = open("strange", O_WRONLY | O_CREAT, 0700);
    CHECK(write(file, "#!/nonexistent\n", 15) == 15 && fchmod(file, 0700) == 0 && close(file) == 0);
    static struct seen seen;
    for (char which[] = "0"; which[0] <= '1'; which[0]++) {
        run_self(&seen, which, NULL);
        CHECK(ended_with(&seen, 0));
        CHECK(times(seen.text, "== mems ") == 1 && strstr(seen.text, " 200 B in 2 blocks"));
        CHECK(times(seen.text, ": exec, ") == which[0] - '0');
    }
    return 0;
}
