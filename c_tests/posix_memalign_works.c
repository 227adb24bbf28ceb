/* what: posix_memalign gives aligned blocks that realloc, malloc_usable_size and free take, size 0 included.
 */
#include "check.h"
#include <malloc.h>

int main(void) {
    for (size_t alignment = sizeof(void *); alignment <= (1 << 20); alignment *= 2) {
        for (size_t size = 0; size < 300000; size = size * 5 + 3) {
            void *p = NULL;
            CHECK(posix_memalign(&p, alignment, size) == 0);
            CHECK(p != NULL && ALIGNED(p, alignment));
            CHECK(malloc_usable_size(p) >= size);
            memset(p, 0x77, size);
            char *q = realloc(p, size * 2 + 1);
            CHECK(q != NULL && holds_only(q, 0x77, size));
            free(q);
        }
    }
    return 0;
}
