/* what: malloc(0) gives a block of its own each time, and it can be freed and reallocated.
 * mode: both
 */
#include "check.h"

#define COUNT 1000

int main(void) {
    void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = malloc(unknown(0));
        CHECK(blocks[i] != NULL);
        CHECK(ALIGNED(blocks[i], 16));
        for (int j = 0; j < i; j++) {
            CHECK(blocks[i] != blocks[j]);
        }
    }
    char *grown = realloc(blocks[0], 100);
    CHECK(grown != NULL);
    memset(grown, 1, 100);
    free(grown);
    for (int i = 1; i < COUNT; i++) {
        free(blocks[i]);
    }
    return 0;
}
