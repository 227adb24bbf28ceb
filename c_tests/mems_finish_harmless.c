/* what: mems_finish before init, twice and on an empty system is harmless.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_finish();
    mems_finish();
    mems_init();
    mems_finish();
    mems_finish();
    mems_init();
    mems_malloc(10);
    mems_finish();
    mems_finish();
    mems_print_stats();
    mems_init();
    CHECK(mems_malloc(10) == (void *)1000);
    return 0;
}
