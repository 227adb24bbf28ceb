/* what: 16 bytes written in front of a large block, where other allocators keep its size.
 */
#include "misuse.h"

int main(void) {
    unsigned char *a = get(1 << 20), *b = get(1 << 20);
    memset(a, 1, 1 << 20);
    memset(b, 2, 1 << 20);
    size_t *before = opaque(b - 16);
    before[0] = 0;
    before[1] = (4 << 20) | 2;
    size_t *before_a = opaque(a - 16);
    before_a[0] = 0;
    before_a[1] = (4 << 20) | 2;
    if (!holds_only(a, 1, 1 << 20) || !holds_only(b, 2, 1 << 20)) {
        verdict("SILENT");
    }
    if (malloc_usable_size(b) > 2 << 20 || malloc_usable_size(a) > 2 << 20) {
        verdict("SILENT");
    }
    free(a);
    free(b);
    take_stock_and_end(1 << 20, NULL);
}
