/* what: reallocarray checks its product, keeps the block on failure and grows like realloc.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    size_t half = (size_t)1 << 32;
    unsigned char *p = opaque(reallocarray(NULL, unknown(10), unknown(10)));
    CHECK(p != NULL);
    memset(p, 7, 100);
    size_t refused[][2] = {{half, half}, {SIZE_MAX, 2}, {2, SIZE_MAX / 2 + 1}, {SIZE_MAX, SIZE_MAX}, {PTRDIFF_MAX, 2}, {1, SIZE_MAX}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        errno = 0;
        CHECK(opaque(reallocarray(opaque(p), unknown(refused[i][0]), unknown(refused[i][1]))) == NULL);
        CHECK_ERRNO(ENOMEM);
        CHECK(holds_only(p, 7, 100));
    }
    errno = 1234;
    p = opaque(reallocarray(opaque(p), unknown(1000), unknown(1000)));
    CHECK(p != NULL && holds_only(p, 7, 100));
    CHECK_ERRNO(1234);
    CHECK(malloc_usable_size(p) >= 1000000);
    free(p);
    return 0;
}
