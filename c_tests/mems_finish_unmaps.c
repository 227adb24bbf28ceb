/* what: after mems_finish every byte that the API mapped is unmapped, bookkeeping included.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

static char *p[60000];

int main(void) {
    long lines = mappings(), size = status_kib("VmSize");
    for (int round = 0; round < 3; round++) {
        mems_init();
        for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
            p[i] = mems_malloc(1 + i * 7 % 300);
            CHECK(p[i] != NULL);
        }
        mems_malloc(50 << 20);
        mems_malloc(70000);
        for (size_t i = 0; i < sizeof p / sizeof *p; i += 3) {
            mems_free(p[i]);
        }
        CHECK(status_kib("VmSize") > size + 60000);
        mems_finish();
        CHECK(status_kib("VmSize") == size);
        CHECK(mappings() == lines);
    }
    return 0;
}
