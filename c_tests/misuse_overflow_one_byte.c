/* what: one byte written behind the asked end of a block of 24 (which other allocators may round up).
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *block[64];
    for (int i = 0; i < 64; i++) {
        block[i] = get(24);
        memset(block[i], i, 24);
    }
    unsigned char *p = opaque(block[20]);
    p[24] = 0x41;
    for (int i = 0; i < 64; i++) {
        if (!holds_only(block[i], i, 24)) {
            verdict("SILENT");
        }
        free(block[i]);
    }
    take_stock(24, NULL);
    take_stock_and_end(0x38, NULL);
}
