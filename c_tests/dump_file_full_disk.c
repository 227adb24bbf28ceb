/* what: a MEMS_STATS_FILE on a full disk, or at the limit of file sizes, does not change how the program ends.
 * plain: no
 */
#include "run_self.h"
#include <sys/resource.h>

int main(int argc, char **argv) {
    if (argc > 1) {
        if (argv[1][0] == '1') {
            struct rlimit none = {0, 0};
            CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0); /* a write raises SIGXFSZ, which is deadly */
        }
        return 4;
    }
    static struct seen seen;
    run_self(&seen, "0", "MEMS_STATS_FILE=/dev/full");
    CHECK(ended_with(&seen, 4));
    run_self(&seen, "1", "MEMS_STATS_FILE=small");
    CHECK(ended_with(&seen, 4));
    return 0;
}
