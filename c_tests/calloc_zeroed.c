/* what: calloc's bytes are zero also where memory that was written to comes back, small, large and huge.
 */
#include "check.h"

int main(void) {
    for (int round = 0; round < 3; round++) {
        enum { COUNT = 4000 };
        static void *blocks[COUNT];
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = i < 3900 ? i : (i - 3890) * 40000;
            blocks[i] = malloc(size);
            CHECK(blocks[i] != NULL);
            memset(blocks[i], 0xff, size);
        }
        for (size_t i = 0; i < COUNT; i++) {
            free(blocks[i]);
        }
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = i < 3900 ? i : (i - 3890) * 40000;
            blocks[i] = calloc(size, 1);
            CHECK(blocks[i] != NULL);
            CHECK(holds_only(blocks[i], 0, size));
            memset(blocks[i], 0xee, size);
        }
        for (size_t i = COUNT; i-- > 0;) {
            free(blocks[i]);
        }
    }
    for (size_t size = 1 << 20; size <= (128u << 20); size *= 2) {
        char *p = malloc(size);
        CHECK(p != NULL);
        memset(p, 0xff, size);
        free(p);
        p = calloc(1, size);
        CHECK(p != NULL && holds_only(p, 0, size));
        free(p);
    }
    return 0;
}
