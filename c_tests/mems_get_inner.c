/* what: mems_get works for any byte of a segment: base plus offset, also across pages.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    mems_malloc(100);
    char *small = mems_malloc(3000);
    char *large = mems_malloc(1000000);
    char *physical = mems_get(small);
    for (size_t i = 0; i < 3000; i++) {
        CHECK((char *)mems_get(small + i) == physical + i);
    }
    physical = mems_get(large);
    memset(physical, 7, 1000000);
    for (size_t i = 0; i < 1000000; i++) {
        CHECK((char *)mems_get(large + i) == physical + i);
    }
    CHECK(holds_only(mems_get(large + 500000), 7, 500000));
    return 0;
}
