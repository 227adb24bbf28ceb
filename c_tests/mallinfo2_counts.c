/* what: mallinfo2 follows what the program holds: in use (uordblks + hblkhd) rises with malloc and falls with free.
 * mode: both
 */
#include "check.h"
#include <malloc.h>

static size_t used(void) {
    struct mallinfo2 m = mallinfo2();
    CHECK(m.uordblks <= m.arena + m.hblkhd);
    return m.uordblks + m.hblkhd;
}

#define COUNT 10000

int main(void) {
    static void *small[COUNT];
    size_t start = used();
    for (int i = 0; i < COUNT; i++) {
        small[i] = malloc(200);
        CHECK(small[i] != NULL);
    }
    size_t with_small = used();
    CHECK(with_small >= start + COUNT * 200);
    CHECK(with_small <= start + COUNT * 300 + (256 << 10));
    void *large = malloc(32 << 20);
    CHECK(large != NULL);
    size_t with_large = used();
    CHECK(with_large >= with_small + (32 << 20));
    CHECK(with_large <= with_small + (40 << 20));
    free(large);
    CHECK(used() <= with_small + (64 << 10));
    for (int i = 0; i < COUNT; i++) {
        free(small[i]);
    }
    CHECK(used() <= start + (512 << 10));
    return 0;
}
