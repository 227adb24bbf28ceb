/* what: posix_memalign returns EINVAL for an alignment that is no power of two times sizeof(void *), ENOMEM for
 *       what cannot be had, and leaves the pointer alone in both cases.
 * mode: both
 */
#include "check.h"

int main(void) {
    const size_t bad[] = {0, 1, 2, 3, 4, 6, 7, 9, 12, 24, 100, 4095, SIZE_MAX, SIZE_MAX - 7};
    void *p = (void *)0x1234;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(posix_memalign(&p, unknown(bad[i]), 64) == EINVAL);
        CHECK(p == (void *)0x1234);
    }
    CHECK(posix_memalign(&p, 64, unknown(SIZE_MAX)) == ENOMEM);
    CHECK(posix_memalign(&p, 64, unknown(PTRDIFF_MAX)) == ENOMEM);
    CHECK(posix_memalign(&p, (size_t)1 << 62, 64) == ENOMEM);
    CHECK(p == (void *)0x1234);
    return 0;
}
