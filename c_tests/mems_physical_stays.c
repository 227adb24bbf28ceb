/* what: a physical address holds for the life of its segment, whatever happens around it.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    void *p[2000], *at[2000];
    mems_init();
    for (int i = 0; i < 2000; i++) {
        p[i] = mems_malloc(100 + i % 50);
        at[i] = mems_get(p[i]);
        memset(at[i], i, 100);
    }
    for (int i = 0; i < 2000; i += 2) {
        mems_free(p[i]);
    }
    for (int i = 0; i < 3000; i++) {
        memset(mems_get(mems_malloc(40)), 0xff, 40);
    }
    for (int i = 1; i < 2000; i += 2) {
        CHECK(mems_get(p[i]) == at[i]);
        CHECK(holds_only(at[i], i, 100));
    }
    return 0;
}
