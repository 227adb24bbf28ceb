/* what: mems_get of a hole, of a freed and of an unknown address is NULL, with a line on stderr each.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * stderr: ^mems: mems_get\(4000\): no live segment holds this address
 * stderr: ^mems: mems_get\(1999\): no live segment
 * stderr: ^mems: mems_get\(999\): no live segment
 * stderr: ^mems: mems_get\(5096\): no live segment
 * stderr: ^mems: mems_get\(123456789\): no live segment
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    char *first = mems_malloc(1000);
    mems_malloc(1000);
    CHECK(mems_get((void *)4000) == NULL);
    CHECK(mems_get(first + 999) != NULL);
    mems_free(first);
    CHECK(mems_get(first + 999) == NULL);
    CHECK(mems_get((void *)999) == NULL);
    CHECK(mems_get((void *)5096) == NULL);
    CHECK(mems_get((void *)123456789) == NULL);
    CHECK(mems_get((void *)2000) != NULL);
    return 0;
}
