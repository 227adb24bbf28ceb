/* what: calloc refuses a product that overflows, with NULL and ENOMEM.
 * mode: both
 */
#include "check.h"

int main(void) {
    const size_t half = (size_t)1 << 32;
    const size_t pairs[][2] = {{half, half}, {half + 1, half}, {SIZE_MAX, 2},           {2, SIZE_MAX},
                               {SIZE_MAX, SIZE_MAX}, {SIZE_MAX / 2 + 1, 2}, {SIZE_MAX / 16 + 2, 16}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        errno = 0;
        CHECK(calloc(unknown(pairs[i][0]), unknown(pairs[i][1])) == NULL);
        CHECK_ERRNO(ENOMEM);
    }
    return 0;
}
