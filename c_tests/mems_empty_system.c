/* what: an empty system prints zeros and an empty array, before and after mems_init.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "mems.h"

int main(void) {
    mems_print_stats();
    mems_init();
    mems_print_stats();
    return 0;
}
