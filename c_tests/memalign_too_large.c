/* what: memalign refuses an alignment above half the address space with EINVAL, one that cannot be met with ENOMEM.
 */
#include "check.h"
#include <malloc.h>

int main(void) {
    errno = 0;
    CHECK(memalign(unknown(SIZE_MAX / 2 + 2), 10) == NULL);
    CHECK_ERRNO(EINVAL);
    errno = 0;
    CHECK(memalign(unknown(SIZE_MAX), 10) == NULL);
    CHECK_ERRNO(EINVAL);
    errno = 0;
    CHECK(memalign(unknown((size_t)1 << 62), 10) == NULL);
    CHECK_ERRNO(ENOMEM);
    errno = 0;
    CHECK(memalign(unknown((size_t)1 << 62), unknown((size_t)1 << 62)) == NULL);
    CHECK_ERRNO(ENOMEM);
    errno = 0;
    CHECK(memalign(4096, unknown(PTRDIFF_MAX) - 100) == NULL);
    CHECK_ERRNO(ENOMEM);
    return 0;
}
