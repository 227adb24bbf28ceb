/* what: mems_init and a first segment take less than 1 MiB of address space.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    long before = status_kib("VmSize");
    mems_init();
    CHECK(mems_malloc(1) != NULL);
    CHECK(status_kib("VmSize") - before <= 256);
    return 0;
}
