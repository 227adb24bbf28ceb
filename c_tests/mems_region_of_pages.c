/* what: a region has ceil(size / PAGE_SIZE) pages, and virtual addresses run on without gap.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    CHECK(mems_malloc(4096) == (void *)1000);
    CHECK(mems_malloc(4097) == (void *)5096);
    CHECK(mems_malloc(20000) == (void *)13288);
    CHECK(mems_malloc(1) == (void *)9193);
    mems_print_stats();
    return 0;
}
