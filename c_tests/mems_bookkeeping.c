/* what: a live segment of 40 bytes costs at most 100 bytes of bookkeeping.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

static char *p[200000];

int main(void) {
    long before = status_kib("VmSize");
    mems_init();
    size_t n = sizeof p / sizeof *p;
    for (size_t i = 0; i < n; i++) {
        p[i] = mems_malloc(40);
        CHECK(p[i] != NULL);
    }
    long regions = ((long)(uintptr_t)p[n - 1] - 1000) / 1024;
    long bookkeeping = status_kib("VmSize") - before - regions;
    check_number(bookkeeping * 1024 / (long)n);
    check_put(" bytes a segment\n");
    CHECK(bookkeeping * 1024 <= 100 * (long)n);
    mems_finish();
    return 0;
}
