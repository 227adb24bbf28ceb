/* what: a larger hole is split: PROCESS in front, HOLE behind (600 of a hole of 1000 leave one of 400).
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    void *first = mems_malloc(1000);
    mems_malloc(2000);
    mems_free(first);
    CHECK(mems_malloc(600) == first);
    mems_print_stats();
    return 0;
}
