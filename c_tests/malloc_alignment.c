/* what: every block is aligned to 16 bytes, whatever its size and whoever of the family gave it.
 */
#include "check.h"

static void aligned(void *p) {
    CHECK(p != NULL);
    CHECK(ALIGNED(p, 16));
    free(p);
}

int main(void) {
    for (size_t size = 0; size <= 8192; size++) {
        aligned(malloc(size));
        aligned(calloc(1, size));
        aligned(realloc(malloc(1), size + 1));
    }
    for (size_t size = 8192; size <= (64u << 20); size += size / 3) {
        aligned(malloc(size));
        aligned(calloc(size, 1));
        aligned(realloc(malloc(40), size));
    }
    return 0;
}
