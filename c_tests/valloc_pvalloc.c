/* what: valloc and pvalloc give whole-page alignment, and pvalloc rounds the size up to whole pages.
 * mode: both
 */
#include "check.h"
#include <malloc.h>

int main(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t size = 0; size < 100000; size = size * 2 + 1) {
        char *v = valloc(size);
        char *p = pvalloc(size);
        CHECK(v && p);
        CHECK(ALIGNED(v, page) && ALIGNED(p, page));
        size_t whole = (size + page - 1) / page * page;
        CHECK(malloc_usable_size(v) >= size);
        CHECK(malloc_usable_size(p) >= whole);
        memset(v, 1, size);
        memset(p, 2, whole);
        CHECK(holds_only(v, 1, size));
        free(v);
        CHECK(holds_only(p, 2, whole));
        free(p);
    }
    return 0;
}
