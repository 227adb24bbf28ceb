/* what: an exact fit leaves no empty hole.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    void *first = mems_malloc(1000);
    mems_malloc(3096);
    mems_print_stats();
    mems_free(first);
    CHECK(mems_malloc(1000) == first);
    mems_print_stats();
    return 0;
}
