/* what: mems_init twice is mems_finish, then mems_init: all is gone, and addresses start anew.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * stderr: ^mems: mems_get\(1000\)
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    long before = status_kib("VmSize");
    for (int i = 0; i < 1000; i++) {
        CHECK(mems_malloc(3000) != NULL);
    }
    mems_init();
    CHECK(status_kib("VmSize") == before);
    CHECK(mems_get((void *)1000) == NULL);
    mems_print_stats();
    CHECK(mems_malloc(10) == (void *)1000);
    return 0;
}
