/* what: mems_malloc(0) is NULL, without a node and without an error.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    errno = 0;
    CHECK(mems_malloc(0) == NULL);
    CHECK_ERRNO(0);
    mems_malloc(100);
    CHECK(mems_malloc(0) == NULL);
    CHECK_ERRNO(0);
    mems_print_stats();
    return 0;
}
