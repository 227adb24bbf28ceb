/* what: every block of malloc, calloc and realloc is aligned to 16 bytes, the smallest included.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    for (size_t size = 0; size < 70000; size += size < 2048 ? 1 : 1023) {
        void *a = get(size);
        void *b = get_zeroed(1, size);
        void *c = resize(get(1), size + 1);
        CHECK(a && b && c);
        CHECK(ALIGNED(a, 16) && ALIGNED(b, 16) && ALIGNED(c, 16));
        free(a);
        free(b);
        free(c);
    }
    for (size_t size = 1 << 20; size < 40 << 20; size = size * 2 + 1) {
        void *a = get(size);
        CHECK(a && ALIGNED(a, 16));
        free(a);
    }
    return 0;
}
