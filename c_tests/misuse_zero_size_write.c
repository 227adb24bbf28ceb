/* what: 16 bytes written to a block of size 0, among others of size 0 and 16.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *block[64];
    for (int i = 0; i < 64; i++) {
        block[i] = get(i % 2 ? 16 : 0);
        if (i % 2) {
            memset(block[i], i, 16);
        }
    }
    memset(opaque(block[20]), 0x41, 16);
    for (int i = 1; i < 64; i += 2) {
        if (!holds_only(block[i], i, 16)) {
            verdict("SILENT");
        }
    }
    for (int i = 0; i < 64; i++) {
        free(block[i]);
    }
    take_stock_and_end(16, NULL);
}
