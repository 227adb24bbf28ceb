/* what: mallopt takes the parameters that programs set, says 1, and malloc works on.
 */
#include "check.h"
#include <malloc.h>

int main(void) {
    errno = 3;
    CHECK(mallopt(M_MMAP_THRESHOLD, 256 * 1024) == 1);
    CHECK(mallopt(M_TRIM_THRESHOLD, 1 << 20) == 1);
    CHECK(mallopt(M_TOP_PAD, 1 << 16) == 1);
    CHECK(mallopt(M_MMAP_MAX, 1000) == 1);
    CHECK(mallopt(M_ARENA_MAX, 1) == 1);
    CHECK(mallopt(M_CHECK_ACTION, 3) == 1);
    CHECK_ERRNO(3);
    for (size_t size = 1; size < (8 << 20); size *= 3) {
        char *p = malloc(size);
        CHECK(p != NULL);
        memset(p, 1, size);
        free(p);
    }
    return 0;
}
