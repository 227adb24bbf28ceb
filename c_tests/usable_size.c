/* what: malloc_usable_size is at least what was asked, every byte of it may be written, and it is 0 for NULL.
 * mode: both
 */
#include "check.h"
#include <malloc.h>

int main(void) {
    CHECK(malloc_usable_size(NULL) == 0);
    enum { COUNT = 3000 };
    static unsigned char *blocks[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = i < 2000 ? i : (i - 1990) * 777;
        blocks[i] = malloc(size);
        CHECK(blocks[i] != NULL);
        CHECK(malloc_usable_size(blocks[i]) >= size);
        memset(blocks[i], (int)(i % 251), malloc_usable_size(blocks[i]));
    }
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(holds_only(blocks[i], (int)(i % 251), malloc_usable_size(blocks[i])));
    }
    for (size_t i = 0; i < COUNT; i++) {
        free(blocks[i]);
    }
    return 0;
}
