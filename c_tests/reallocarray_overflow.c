/* what: reallocarray refuses a product that overflows, with NULL and ENOMEM, and keeps the block.
 * mode: both
 */
#include "check.h"

int main(void) {
    const size_t half = (size_t)1 << 32;
    const size_t pairs[][2] = {{half, half}, {SIZE_MAX, 2}, {2, SIZE_MAX}, {SIZE_MAX / 8 + 1, 8}, {half * 2, half / 2}};
    char *p = malloc(64);
    CHECK(p != NULL);
    memset(p, 9, 64);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        errno = 0;
        CHECK(reallocarray(p, unknown(pairs[i][0]), unknown(pairs[i][1])) == NULL);
        CHECK_ERRNO(ENOMEM);
        errno = 0;
        CHECK(reallocarray(NULL, unknown(pairs[i][0]), unknown(pairs[i][1])) == NULL);
        CHECK_ERRNO(ENOMEM);
    }
    CHECK(holds_only(p, 9, 64));
    free(p);
    return 0;
}
