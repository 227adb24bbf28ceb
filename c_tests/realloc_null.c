/* what: realloc(NULL, n) is malloc(n), also for n = 0.
 * mode: both
 */
#include "check.h"
#include <malloc.h>

int main(void) {
    for (size_t size = 0; size < 100000; size = size * 2 + 1) {
        char *p = realloc(NULL, size);
        CHECK(p != NULL);
        CHECK(ALIGNED(p, 16));
        CHECK(malloc_usable_size(p) >= size);
        memset(p, 7, size);
        free(p);
    }
    return 0;
}
