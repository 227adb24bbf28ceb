/* what: a forked child counts from zero, shows what it inherited, and leaves a dump of its own; freeing what it inherited
 *       makes its live blocks negative, and asked - freed = live holds.
 * plain: no
 */
#include "run_self.h"

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        void *p[10];
        for (int i = 0; i < 10; i++) {
            p[i] = malloc(unknown(1000));
        }
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            CHECK(malloc(unknown(50)) != NULL);
            for (int i = 0; i < 3; i++) {
                free(p[i]);
            }
            exit(5);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
        return 0;
    }
    static struct seen seen;
    run_self(&seen, "child", "MEMS_STATS_FORMAT=json");
    CHECK(ended_with(&seen, 0));
    CHECK(times(seen.text, "{\"schema\"") == 2);
    const char *parent = strchr(seen.text, '\n') + 1;
    CHECK(field(seen.text, "\"process\"", "ppid") == seen.pid && field(parent, "\"process\"", "pid") == seen.pid);
    CHECK(strstr(seen.text, "{\"kind\":\"exit\",\"code\":5}") < parent);
    CHECK(field(seen.text, "\"blocks\":{\"asked\"", "asked") == 1);
    CHECK(field(seen.text, "\"blocks\":{\"asked\"", "freed") == 3);
    CHECK(field(seen.text, "\"blocks\":{\"asked\"", "live") == -2);
    CHECK(field(seen.text, "\"inherited\"", "blocks") == 10);
    CHECK(field(seen.text, "\"inherited\"", "bytes") >= 10000);
    CHECK(field(seen.text, "\"bytes\"", "live_usable") >= 7050);
    CHECK(field(parent, "\"blocks\":{\"asked\"", "live") == 10 && field(parent, "\"inherited\"", "blocks") == 0);
    return 0;
}
