/* what: malloc(0) is a block of its own; over PTRDIFF_MAX is NULL and ENOMEM; success keeps errno.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    errno = 1234;
    void *a = get(0);
    void *b = get(0);
    void *c = get(1);
    CHECK_ERRNO(1234);
    CHECK(a && b && c && a != b && b != c && a != c);
    size_t beyond[] = {(size_t)PTRDIFF_MAX + 1, SIZE_MAX / 2 + 2, SIZE_MAX - 4096, SIZE_MAX - 4095, SIZE_MAX - 64,
                       SIZE_MAX - 32, SIZE_MAX - 16, SIZE_MAX - 15, SIZE_MAX - 8, SIZE_MAX - 7, SIZE_MAX - 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        errno = 0;
        CHECK(get(beyond[i]) == NULL);
        CHECK_ERRNO(ENOMEM);
    }
    /* Not forbidden by the limit, but no address space holds it. */
    size_t too_large[] = {PTRDIFF_MAX, PTRDIFF_MAX - 4096, (size_t)1 << 62, (size_t)1 << 56, (size_t)1 << 48};
    for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++) {
        errno = 0;
        CHECK(get(too_large[i]) == NULL);
        CHECK_ERRNO(ENOMEM);
    }
    errno = 1234;
    free(a);
    free(b);
    free(c);
    free(get(100));
    free(get(1 << 20));
    CHECK_ERRNO(1234);
    return 0;
}
