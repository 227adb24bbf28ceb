/* what: a realloc that cannot be served gives NULL and ENOMEM and leaves the block as it was.
 * mode: both
 */
#include "check.h"

int main(void) {
    const size_t sizes[] = {10, 1000, 100000, 10 << 20};
    for (int i = 0; i < 4; i++) {
        char *p = malloc(sizes[i]);
        CHECK(p != NULL);
        memset(p, 0x3c, sizes[i]);
        errno = 0;
        CHECK(realloc(p, unknown(SIZE_MAX)) == NULL);
        CHECK_ERRNO(ENOMEM);
        errno = 0;
        CHECK(realloc(p, unknown(PTRDIFF_MAX)) == NULL);
        CHECK_ERRNO(ENOMEM);
        errno = 0;
        CHECK(reallocarray(p, unknown(SIZE_MAX / 2), 3) == NULL);
        CHECK_ERRNO(ENOMEM);
        CHECK(holds_only(p, 0x3c, sizes[i]));
        free(p);
    }
    return 0;
}
