/* what: holes are not joined across main-chain nodes, though their addresses touch.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    char *first = mems_malloc(4096);
    char *second = mems_malloc(4096);
    char *third = mems_malloc(4096);
    CHECK(second == first + 4096);
    CHECK(third == second + 4096);
    mems_free(second);
    mems_free(first);
    mems_free(third);
    mems_print_stats();
    CHECK(mems_malloc(4097) == third + 4096);
    return 0;
}
