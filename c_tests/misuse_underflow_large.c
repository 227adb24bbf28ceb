/* what: 16 bytes written in front of large blocks, where other allocators keep their size.
 * stdout: ^(HARMLESS|SILENT)$
 * plain: no
 */
#include "misuse.h"

#define N 6

int main(void) {
    unsigned char *block[N];
    for (int i = 0; i < N; i++) {
        block[i] = get(1 << 20);
        memset(block[i], i, 1 << 20);
    }
    for (int i = 0; i < N; i++) {
        size_t *before = opaque(block[i] - 16);
        for (int k = 0; k < N; k++) {
            /* Only where another block ends: elsewhere there may be no memory at all. */
            if (block[i] - block[k] == 1 << 20) {
                before[0] = 0;
                before[1] = (4 << 20) | 2;
            }
        }
    }
    int silent = 0;
    for (int i = 0; i < N; i++) {
        silent |= !holds_only(block[i], i, 1 << 20) || malloc_usable_size(block[i]) > 2 << 20;
    }
    for (int i = 0; i < N; i++) {
        free(block[i]);
    }
    take_stock(1 << 20, NULL);
    verdict(silent ? "SILENT" : "HARMLESS");
}
