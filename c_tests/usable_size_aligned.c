/* what: malloc_usable_size of an aligned block counts from the block's own start, and all of it may be written.
 */
#include "check.h"
#include <malloc.h>

int main(void) {
    for (size_t alignment = 8; alignment <= (1 << 16); alignment *= 2) {
        for (size_t size = 1; size < 20000; size = size * 3 + 1) {
            void *a = NULL, *b = NULL;
            CHECK(posix_memalign(&a, alignment, size) == 0);
            CHECK(posix_memalign(&b, alignment, size) == 0);
            CHECK(malloc_usable_size(a) >= size);
            memset(a, 1, malloc_usable_size(a));
            memset(b, 2, malloc_usable_size(b));
            CHECK(holds_only(a, 1, malloc_usable_size(a)));
            free(a);
            CHECK(holds_only(b, 2, malloc_usable_size(b)));
            free(b);
        }
    }
    return 0;
}
