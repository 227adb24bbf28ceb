/* what: a size over PTRDIFF_MAX and one that the system refuses: NULL, ENOMEM, nothing changed.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    mems_malloc(1000);
    size_t sizes[] = {SIZE_MAX, SIZE_MAX - 4095, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX, (size_t)1 << 62, (size_t)1 << 48};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        errno = 0;
        CHECK(mems_malloc(sizes[i]) == NULL);
        CHECK_ERRNO(ENOMEM);
    }
    mems_print_stats();
    CHECK(mems_malloc(5000) == (void *)5096);
    return 0;
}
