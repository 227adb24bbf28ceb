/* what: valloc and pvalloc: page-aligned, pvalloc whole pages; sizes whose rounding overflows are ENOMEM.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    errno = 1234;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *v = opaque(valloc(unknown(sizes[i])));
        unsigned char *pv = opaque(pvalloc(unknown(sizes[i])));
        CHECK(v && pv && v != pv && ALIGNED(v, page) && ALIGNED(pv, page));
        size_t whole = (sizes[i] + page - 1) & ~(page - 1);
        CHECK(malloc_usable_size(v) >= sizes[i] && malloc_usable_size(pv) >= whole);
        memset(v, 1, sizes[i]);
        memset(pv, 2, whole);
        CHECK(holds_only(v, 1, sizes[i]));
        free(v);
        free(pv);
    }
    CHECK_ERRNO(1234);
    size_t refused[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 4094, SIZE_MAX - 4095, SIZE_MAX - 4096, SIZE_MAX - 8192, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        errno = 0;
        CHECK(opaque(valloc(unknown(refused[i]))) == NULL);
        CHECK_ERRNO(ENOMEM);
        errno = 0;
        CHECK(opaque(pvalloc(unknown(refused[i]))) == NULL);
        CHECK_ERRNO(ENOMEM);
    }
    return 0;
}
