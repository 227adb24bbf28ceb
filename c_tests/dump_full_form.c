/* what: MEMS_STATS=full adds the table of size classes and the main chain with its sub-chains, thousands of segments long.
 * plain: no
 */
#include "run_self.h"

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        for (int i = 0; i < 1000; i++) {
            char *p = malloc(unknown(i % 2 ? 70000 : 500));
            CHECK(p);
            *p = 1;
        }
        return 0;
    }
    static struct seen seen;
    run_self(&seen, "child", "MEMS_STATS=full");
    CHECK(ended_with(&seen, 0));
    const char *chain = strstr(seen.text, "\nMAIN[");
    CHECK(strncmp(seen.text, "== mems ", 8) == 0 && strstr(seen.text, "\n  class "));
    CHECK(chain && strstr(chain, "]-> ") && strstr(chain, " B ") && strstr(chain, " <-> NULL\n"));
    CHECK(times(chain, "MAIN[") == times(chain, "NULL\n"));
    CHECK(times(chain, "P[") >= 500);
    CHECK(!strstr(seen.text, "no memory") && !strstr(seen.text, "busy"));
    return 0;
}
