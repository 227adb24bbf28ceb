/* what: memalign and aligned_alloc give what is asked for every power of two from 1 to 64 MiB, at least 16.
 * mode: both
 */
#include "check.h"
#include <malloc.h>

int main(void) {
    for (size_t alignment = 1; alignment <= (64u << 20); alignment *= 2) {
        const size_t sizes[] = {0, 1, 10, 100, 1000, 5000, 70000};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            void *p = memalign(alignment, sizes[i]);
            void *q = aligned_alloc(alignment, sizes[i]);
            CHECK(p && q && p != q);
            CHECK(ALIGNED(p, alignment) && ALIGNED(p, 16));
            CHECK(ALIGNED(q, alignment) && ALIGNED(q, 16));
            memset(p, 1, sizes[i]);
            memset(q, 2, sizes[i]);
            CHECK(holds_only(p, 1, sizes[i]));
            free(p);
            CHECK(holds_only(q, 2, sizes[i]));
            free(q);
        }
    }
    return 0;
}
