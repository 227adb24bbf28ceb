/* what: with start address 0 the first segment is at NULL, which mems_get and mems_free take as an address.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * flags: -DMEMS_START_VA=0
 * stderr-not: ^mems: mems_(get|free)
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    char *first = mems_malloc(100);
    CHECK(first == NULL);
    char *physical = mems_get(first);
    CHECK(physical != NULL);
    memset(physical, 9, 100);
    CHECK((char *)mems_get(first + 99) == physical + 99);
    mems_free(first);
    CHECK(mems_malloc(50) == NULL);
    mems_print_stats();
    return 0;
}
