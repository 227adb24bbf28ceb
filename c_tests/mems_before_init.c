/* what: any call before mems_init initialises with the defaults.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * stderr: ^mems: mems_free\(7\): unknown address
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_free((void *)7);
    CHECK(mems_malloc(1234) == (void *)1000);
    CHECK(mems_get((void *)2233) != NULL);
    mems_print_stats();
    mems_finish();
    CHECK(mems_malloc(1) == (void *)1000);
    return 0;
}
