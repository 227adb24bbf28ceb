/* what: a size above PTRDIFF_MAX is refused by every function of the family, with NULL and ENOMEM.
 * mode: both
 */
#include "check.h"
#include <malloc.h>

static void refused(void *p) {
    CHECK(p == NULL);
    CHECK_ERRNO(ENOMEM);
    errno = 0;
}

int main(void) {
    const size_t sizes[] = {(size_t)PTRDIFF_MAX + 1, (size_t)PTRDIFF_MAX + 17, SIZE_MAX / 2 + 4097,
                            SIZE_MAX - 4096,         SIZE_MAX - 15,            SIZE_MAX};
    errno = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = unknown(sizes[i]);
        refused(malloc(size));
        refused(calloc(1, size));
        refused(calloc(size, 1));
        refused(realloc(NULL, size));
        refused(reallocarray(NULL, size, 1));
        refused(memalign(64, size));
        refused(aligned_alloc(64, size));
        refused(valloc(size));
        refused(pvalloc(size));
        void *p = (void *)0x5a;
        CHECK(posix_memalign(&p, 64, size) == ENOMEM);
        CHECK(p == (void *)0x5a);
        errno = 0;
    }
    /* Just legal, and more than any machine has. */
    refused(malloc(unknown(PTRDIFF_MAX)));
    refused(malloc(unknown(PTRDIFF_MAX) - 8192));
    refused(calloc(1, unknown(PTRDIFF_MAX)));
    void *p = malloc(100);
    CHECK(p != NULL);
    free(p);
    return 0;
}
