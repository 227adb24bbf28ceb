/* what: posix_memalign returns its error, refuses alignments that are no power of two times sizeof(void *), and writes the pointer only on success.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    void *const before = (void *)0x1234;
    void *p = before;
    size_t wrong[] = {0, 1, 2, 3, 4, 6, 12, 24, 40, 100, SIZE_MAX, SIZE_MAX / 2, (size_t)PTRDIFF_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        errno = 1234;
        CHECK(posix_memalign(&p, unknown(wrong[i]), 64) == EINVAL);
        CHECK(p == before);
        CHECK_ERRNO(1234);
    }
    size_t large[][2] = {{8, SIZE_MAX}, {64, SIZE_MAX}, {4096, SIZE_MAX - 4095}, {16, (size_t)PTRDIFF_MAX + 1},
                         {1 << 20, PTRDIFF_MAX}, {(size_t)1 << 62, 16}, {(size_t)1 << 40, (size_t)1 << 46}, {8, (size_t)1 << 60}};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        CHECK(posix_memalign(&p, unknown(large[i][0]), unknown(large[i][1])) == ENOMEM);
        CHECK(p == before);
    }
    for (size_t alignment = sizeof(void *); alignment <= (size_t)1 << 30; alignment <<= 1) {
        size_t sizes[] = {0, 1, 63, 4096, 100000};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            errno = 1234;
            CHECK(posix_memalign(&p, unknown(alignment), unknown(sizes[i])) == 0);
            CHECK_ERRNO(1234);
            CHECK(p && ALIGNED(p, alignment));
            memset(opaque(p), 0xee, sizes[i]);
            free(p);
            CHECK_ERRNO(1234);
        }
    }
    return 0;
}
