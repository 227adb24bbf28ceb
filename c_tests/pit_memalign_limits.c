/* what: memalign at its limits: alignment 0, 1, 3, 2^k to 1 GiB and beyond; sizes 0 and too large.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    errno = 1234;
    size_t small[] = {0, 1, 2, 4, 8, 16};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        void *p = opaque(memalign(unknown(small[i]), unknown(40)));
        CHECK(p && ALIGNED(p, 16));
        memset(p, 1, 40);
        free(p);
    }
    /* Odd alignments are rounded up to the next power of two. */
    size_t odd[][2] = {{3, 4}, {17, 32}, {33, 64}, {100, 128}, {1000, 1024}, {5000, 8192}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        void *p = opaque(memalign(unknown(odd[i][0]), unknown(10)));
        CHECK(p && ALIGNED(p, odd[i][1]));
        free(p);
    }
    for (size_t alignment = 16; alignment <= (size_t)1 << 30; alignment <<= 1) {
        void *p = opaque(memalign(unknown(alignment), unknown(0)));
        void *q = opaque(memalign(unknown(alignment), unknown(1)));
        CHECK(p && q && p != q && ALIGNED(p, alignment) && ALIGNED(q, alignment));
        free(p);
        free(q);
    }
    CHECK_ERRNO(1234);
    errno = 0;
    CHECK(opaque(memalign(unknown(SIZE_MAX), unknown(1))) == NULL);
    CHECK_ERRNO(EINVAL);
    size_t refused[][2] = {{64, SIZE_MAX}, {64, SIZE_MAX - 64}, {4096, SIZE_MAX - 8192}, {(size_t)1 << 62, 1}, {(size_t)1 << 30, PTRDIFF_MAX}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        errno = 0;
        CHECK(opaque(memalign(unknown(refused[i][0]), unknown(refused[i][1]))) == NULL);
        CHECK_ERRNO(ENOMEM);
    }
    return 0;
}
