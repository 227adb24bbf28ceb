/* what: the header is C89.
 * mode: both
 * flags: -std=c89 -pedantic-errors -Werror -Wl,--unresolved-symbols=ignore-all
 */
#include "mems.h"

int main(void) {
    void *p;
    void (*init)(void) = mems_init;
    mems_init();
    p = mems_malloc(10);
    if (!p || !mems_get(p)) {
        return 1;
    }
    mems_free(p);
    mems_print_stats();
    mems_finish();
    init();
    return 0;
}
