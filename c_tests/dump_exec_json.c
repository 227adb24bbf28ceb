/* what: at exec JSON is written as ever, by a forked child too.
 * plain: no
 */
#include "run_self.h"

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        pid_t child = fork();
        if (child == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        return 0;
    }
    static struct seen seen;
    run_self(&seen, "child", "MEMS_STATS_FORMAT=json");
    CHECK(ended_with(&seen, 0));
    CHECK(times(seen.text, "{\"schema\"") == 3 && times(seen.text, "\n") == 3);
    CHECK(times(seen.text, "{\"kind\":\"exec\",\"code\":0}") == 1);
    CHECK(times(seen.text, "{\"kind\":\"exit\",\"code\":0}") == 2);
    return 0;
}
