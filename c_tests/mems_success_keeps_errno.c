/* what: calls that succeed leave errno as it was, also those that map.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    errno = 77;
    mems_init();
    for (int i = 0; i < 1000; i++) {
        void *p = mems_malloc(1 + i * 10);
        CHECK(mems_get(p) != NULL);
        if (i % 2) {
            mems_free(p);
        }
        CHECK_ERRNO(77);
    }
    mems_free((void *)999);
    CHECK_ERRNO(77);
    mems_finish();
    CHECK_ERRNO(77);
    return 0;
}
