/* what: aligned_alloc: a wrong alignment is EINVAL or rounded up, never a misaligned block; too much is ENOMEM.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    /* The C library took such alignments until 2.37 and refuses them since: both are sound. */
    size_t wrong[] = {3, 5, 6, 7, 12, 24, 48, 100, 1000};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        errno = 0;
        unsigned char *p = opaque(aligned_alloc(unknown(wrong[i]), unknown(100)));
        if (p) {
            CHECK(ALIGNED(p, 16));
            memset(p, 1, 100);
            free(p);
        } else {
            CHECK_ERRNO(EINVAL);
        }
    }
    size_t beyond[] = {SIZE_MAX, SIZE_MAX / 2 + 2};
    for (size_t i = 0; i < 2; i++) {
        errno = 0;
        CHECK(opaque(aligned_alloc(unknown(beyond[i]), unknown(16))) == NULL);
        CHECK(errno == EINVAL || errno == ENOMEM);
    }
    size_t large[][2] = {{16, SIZE_MAX}, {64, SIZE_MAX - 63}, {4096, (size_t)PTRDIFF_MAX + 1}, {1 << 21, PTRDIFF_MAX}};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        errno = 0;
        CHECK(opaque(aligned_alloc(unknown(large[i][0]), unknown(large[i][1]))) == NULL);
        CHECK_ERRNO(ENOMEM);
    }
    errno = 1234;
    for (size_t alignment = 1; alignment <= (size_t)1 << 30; alignment <<= 1) {
        unsigned char *p = opaque(aligned_alloc(unknown(alignment), unknown(alignment < 4096 ? alignment : 10)));
        CHECK(p && ALIGNED(p, alignment) && ALIGNED(p, 16));
        p[0] = 1;
        free(p);
    }
    CHECK_ERRNO(1234);
    return 0;
}
