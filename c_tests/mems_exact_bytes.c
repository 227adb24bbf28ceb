/* what: mems_malloc gives exactly the bytes asked: 1234 bytes are P[0:1233], the next segment starts at 1234.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * flags: -DMEMS_START_VA=0
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    CHECK(mems_malloc(1234) == (void *)0);
    CHECK(mems_malloc(1) == (void *)1234);
    CHECK(mems_malloc(3) == (void *)1235);
    mems_print_stats();
    return 0;
}
