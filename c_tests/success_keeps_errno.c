/* what: a call that succeeds leaves errno alone, for every function of the family, small and large.
 * mode: both
 */
#include "check.h"
#include <malloc.h>

#define KEPT(call)                                                                                           \
    do {                                                                                                     \
        errno = 12345;                                                                                       \
        CHECK((call) != 0);                                                                                  \
        CHECK_ERRNO(12345);                                                                                  \
    } while (0)

int main(void) {
    const size_t sizes[] = {0, 1, 24, 200, 1000, 5000, 33000, 200000, 3 << 20, 70 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = unknown(sizes[i]);
        void *p[10] = {0};
        KEPT(p[0] = malloc(size));
        KEPT(p[1] = calloc(1, size));
        KEPT(p[2] = realloc(NULL, size));
        KEPT(p[2] = realloc(p[2], size + 1000));
        KEPT(p[2] = realloc(p[2], size / 2 + 1));
        KEPT(p[3] = reallocarray(NULL, size + 1, 1));
        KEPT(p[4] = memalign(4096, size));
        KEPT(p[5] = aligned_alloc(256, size));
        KEPT(p[6] = valloc(size));
        KEPT(p[7] = pvalloc(size));
        errno = 12345;
        CHECK(posix_memalign(&p[8], 32, size) == 0);
        CHECK_ERRNO(12345);
        errno = 12345;
        CHECK(malloc_usable_size(p[0]) >= size);
        CHECK_ERRNO(12345);
        for (int j = 0; j < 10; j++) {
            free(p[j]);
            CHECK_ERRNO(12345);
        }
    }
    return 0;
}
