/* what: a freed segment becomes one hole with the holes before and behind it.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    void *p[5];
    mems_init();
    for (int i = 0; i < 5; i++) {
        p[i] = mems_malloc(500);
    }
    mems_free(p[1]);
    mems_free(p[3]);
    mems_print_stats();
    mems_free(p[2]);
    mems_print_stats();
    CHECK(mems_malloc(1500) == p[1]);
    return 0;
}
