/* what: MEMS_STATS=off is silent, whatever the way out.
 * env: MEMS_STATS=off
 */
#include "run_self.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        free(malloc(unknown(10)));
        switch (argv[1][0]) {
        case '0': exit(0);
        case '1': _exit(0);
        case '2': quick_exit(0);
        case '3': execl("/bin/true", "true", (char *)NULL); break;
        }
        return 9;
    }
    static struct seen seen;
    for (char way[] = "0"; way[0] <= '3'; way[0]++) {
        run_self(&seen, way, NULL);
        CHECK(ended_with(&seen, 0) && seen.length == 0);
    }
    return 0;
}
