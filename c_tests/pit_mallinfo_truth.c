/* what: mallinfo2 sees what the program holds: in use grows by at least what was asked and falls again.
 * mode: preload
 */
#include "pit.h"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static size_t in_use(void) {
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

int main(void) {
    static void *small[10000];
    free(get(10));
    size_t before = in_use();
    for (int i = 0; i < 10000; i++) {
        small[i] = get(100);
    }
    void *large = get(8 << 20);
    memset(large, 1, 8 << 20);
    size_t full = in_use();
    CHECK(full >= before + 10000 * 100 + (8 << 20));
    CHECK(full <= before + 10000 * 160 + (9 << 20));
    free(large);
    for (int i = 0; i < 10000; i++) {
        free(small[i]);
    }
    CHECK(in_use() <= before + 64 * 1024);
    struct mallinfo old = mallinfo();
    CHECK((size_t)(unsigned)old.uordblks + (unsigned)old.hblkhd <= before + 64 * 1024);
    return 0;
}
