/* what: an emptied main-chain node stays listed, and is used again.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    void *only = mems_malloc(10000);
    mems_free(only);
    mems_print_stats();
    CHECK(mems_malloc(12288) == only);
    mems_print_stats();
    return 0;
}
