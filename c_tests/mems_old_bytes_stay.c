/* what: memory that is freed and taken again keeps its old bytes.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    void *a = mems_malloc(1000), *b = mems_malloc(100000);
    memset(mems_get(a), 0x5a, 1000);
    memset(mems_get(b), 0xa5, 100000);
    mems_free(a);
    mems_free(b);
    CHECK(mems_malloc(1000) == a);
    CHECK(mems_malloc(100000) == b);
    CHECK(holds_only(mems_get(a), 0x5a, 1000));
    CHECK(holds_only(mems_get(b), 0xa5, 100000));
    return 0;
}
