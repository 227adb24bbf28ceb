/* what: a million live segments: placement, addresses and joins hold, and finish gives all back.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

enum { N = 1000000 };
static char *p[N];

int main(void) {
    long before = status_kib("VmSize");
    mems_init();
    for (int i = 0; i < N; i++) {
        p[i] = mems_malloc(32);
        CHECK(p[i] == (char *)1000 + (size_t)i * 32);
    }
    for (int i = 0; i < N; i += 997) {
        CHECK((char *)mems_get(p[i] + 31) - (char *)mems_get(p[i]) == 31);
    }
    for (int i = 0; i < N; i += 2) {
        mems_free(p[i]);
    }
    CHECK(mems_malloc(33) == (char *)1000 + (size_t)N * 32);
    for (int i = 0; i < N; i += 2) {
        CHECK(mems_malloc(32) == p[i]);
    }
    for (int i = 0; i < N; i++) {
        mems_free(p[i]);
    }
    CHECK(mems_malloc(4096) == (void *)1000);
    mems_finish();
    CHECK(status_kib("VmSize") == before);
    return 0;
}
