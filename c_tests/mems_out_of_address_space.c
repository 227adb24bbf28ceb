/* what: at the limit of the address space: NULL and ENOMEM, what is live stays, freed memory serves again.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"
#include <sys/resource.h>

static char *p[400000];

int main(void) {
    mems_init();
    rlim_t now = (rlim_t)status_kib("VmSize") * 1024 + (3 << 20);
    struct rlimit limit = {now, now};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    size_t n = 0;
    for (; n < sizeof p / sizeof *p; n++) {
        errno = 0;
        p[n] = mems_malloc(40);
        if (!p[n]) {
            break;
        }
        memset(mems_get(p[n]), (int)n, 40);
    }
    CHECK_ERRNO(ENOMEM);
    CHECK(n > 18000);
    for (size_t i = 0; i < n; i++) {
        CHECK(holds_only(mems_get(p[i]), (int)i, 40));
    }
    for (size_t i = 0; i < n; i += 2) {
        mems_free(p[i]);
    }
    for (size_t i = 0; i < n; i += 2) {
        CHECK(mems_malloc(40) == p[i]);
    }
    for (size_t i = 1; i < n; i += 2) {
        CHECK(holds_only(mems_get(p[i]), (int)i, 40));
    }
    mems_finish();
    return 0;
}
