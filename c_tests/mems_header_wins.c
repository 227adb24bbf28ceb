/* what: what the header hands over stands above the environment.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * env: MEMS_PAGE_SIZE=8192
 * env: MEMS_START_VA=70000
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    CHECK(mems_malloc(1) == (void *)1000);
    CHECK(mems_malloc(4096) == (void *)5096);
    return 0;
}
