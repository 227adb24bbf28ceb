/* what: the lowest hole that is large enough is taken, not the one that fits best, also in an earlier region.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    char *p[8];
    mems_init();
    for (int i = 0; i < 8; i++) {
        p[i] = mems_malloc(1024);
    }
    mems_free(p[1]);
    mems_free(p[2]);
    mems_free(p[6]);
    /* A hole of 2048 at p[1], an exact one of 1024 at p[6]. */
    CHECK(mems_malloc(1024) == p[1]);
    CHECK(mems_malloc(1025) == p[7] + 1024);
    CHECK(mems_malloc(1000) == p[2]);
    CHECK(mems_malloc(24) == p[2] + 1000);
    CHECK(mems_malloc(24) == p[6]);
    mems_print_stats();
    return 0;
}
