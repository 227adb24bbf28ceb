/* what: writing on and on behind a block of 1 MiB.
 * exit: SIGABRT
 * stderr: ^mems: free .* overwritten
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *a = get(1 << 20), *b = get(1 << 20), *c = get(1 << 20);
    memset(a, 1, 1 << 20);
    memset(b, 2, 1 << 20);
    memset(c, 3, 1 << 20);
    memset(opaque(b + (1 << 20)), 0x41, 16384);
    if (!holds_only(a, 1, 1 << 20) || !holds_only(c, 3, 1 << 20)) {
        verdict("SILENT");
    }
    free(a);
    free(b);
    free(c);
    take_stock(16384, NULL);
    take_stock_and_end(1 << 20, NULL);
}
