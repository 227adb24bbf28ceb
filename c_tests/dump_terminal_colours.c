/* what: colours go to a terminal, and not when NO_COLOR is set; the dump is otherwise the same.
 * plain: no
 */
#include "run_self.h"

static void on_a_terminal(struct seen *seen, const char *set) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int other = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(other >= 0);
    pid_t child = start_self("child", set, other);
    close(other);
    ssize_t got;
    seen->length = 0;
    while ((got = read(terminal, seen->text + seen->length, sizeof seen->text - 1 - seen->length)) > 0) {
        seen->length += (size_t)got;
    }
    CHECK(got == -1 && errno == EIO); /* nobody holds the other end any more */
    seen->text[seen->length] = 0;
    CHECK(waitpid(child, &seen->status, 0) == child);
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        return 0;
    }
    static struct seen seen;
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    on_a_terminal(&seen, NULL);
    CHECK(ended_with(&seen, 0) && strstr(seen.text, "== mems ") && strstr(seen.text, "\x1b[1m"));
    on_a_terminal(&seen, "NO_COLOR=1");
    CHECK(ended_with(&seen, 0) && strstr(seen.text, "== mems ") && !strchr(seen.text, '\x1b'));
    on_a_terminal(&seen, "TERM=dumb");
    CHECK(ended_with(&seen, 0) && strstr(seen.text, "== mems ") && !strchr(seen.text, '\x1b'));
    run_self(&seen, "child", NULL);
    CHECK(!strchr(seen.text, '\x1b'));
    return 0;
}
