/* what: every power of two from 1 KiB to 1 MiB is a page size.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    for (size_t page = 1024; page <= 1 << 20; page *= 2) {
        mems_init_with(page, 5000);
        char *first = mems_malloc(1), *second = mems_malloc(page), *third = mems_malloc(page * 3 + 1);
        CHECK(first == (char *)5000);
        CHECK(second == first + page);
        CHECK(third == second + page);
        CHECK(mems_malloc(page - 1) == first + 1);
        CHECK(mems_malloc(page) == third + 4 * page);
        memset(mems_get(third), 1, page * 3 + 1);
        memset(mems_get(second), 2, page);
        CHECK(mems_get(third + page * 3) == (char *)mems_get(third) + page * 3);
        CHECK(holds_only(mems_get(third), 1, page * 3 + 1));
    }
    mems_finish();
    return 0;
}
