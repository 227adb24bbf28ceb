/* what: calloc's product that overflows is NULL and ENOMEM, never a small block; a product of 0 is a block.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    size_t half = (size_t)1 << 32;
    size_t refused[][2] = {{SIZE_MAX, 2},        {2, SIZE_MAX},      {SIZE_MAX, SIZE_MAX}, {half, half},
                           {half + 1, half},     {SIZE_MAX / 2, 3},  {SIZE_MAX / 16 + 2, 16}, {PTRDIFF_MAX, 2},
                           {PTRDIFF_MAX / 8 + 1, 8}, {SIZE_MAX, 1},  {1, SIZE_MAX},        {1, (size_t)PTRDIFF_MAX + 1}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        errno = 0;
        CHECK(get_zeroed(refused[i][0], refused[i][1]) == NULL);
        CHECK_ERRNO(ENOMEM);
    }
    size_t empty[][2] = {{0, 0}, {0, 1}, {1, 0}, {0, SIZE_MAX}, {SIZE_MAX, 0}};
    void *seen[5];
    errno = 1234;
    for (size_t i = 0; i < 5; i++) {
        seen[i] = get_zeroed(empty[i][0], empty[i][1]);
        CHECK(seen[i] != NULL);
        for (size_t k = 0; k < i; k++) {
            CHECK(seen[k] != seen[i]);
        }
    }
    for (size_t i = 0; i < 5; i++) {
        free(seen[i]);
    }
    CHECK_ERRNO(1234);
    return 0;
}
