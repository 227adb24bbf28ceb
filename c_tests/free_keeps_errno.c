/* what: free keeps errno: small, large and aligned blocks, one by one and when pages go back.
 * mode: both
 */
#include "check.h"

#define COUNT 20000

int main(void) {
    static void *blocks[COUNT];
    const size_t sizes[] = {1, 16, 100, 1000, 4096, 9000, 40000};
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = malloc(sizes[i % 7]);
        CHECK(blocks[i] != NULL);
    }
    errno = 4242;
    for (int i = 0; i < COUNT; i++) {
        free(blocks[i]);
        CHECK_ERRNO(4242);
    }
    for (size_t size = 1 << 16; size <= (256u << 20); size *= 2) {
        char *p = malloc(size);
        CHECK(p != NULL);
        p[size - 1] = 1;
        errno = 4242;
        free(p);
        CHECK_ERRNO(4242);
        p = aligned_alloc(1 << 16, size);
        CHECK(p != NULL);
        errno = 4242;
        free(p);
        CHECK_ERRNO(4242);
    }
    return 0;
}
