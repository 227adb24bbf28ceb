/* what: 32 bytes written in front of a block.
 * stdout: ^(HARMLESS|SILENT)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *block[64];
    for (int i = 0; i < 64; i++) {
        block[i] = get(64);
        memset(block[i], i, 64);
    }
    memset(opaque(block[20] - 32), 0x41, 32);
    for (int i = 0; i < 64; i++) {
        if (!holds_only(block[i], i, 64)) {
            verdict("SILENT");
        }
    }
    for (int i = 0; i < 64; i++) {
        free(block[i]);
    }
    take_stock_and_end(64, NULL);
}
