/* what: 64 bytes written behind a block of 64, into whatever lies there, live blocks perhaps.
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
    memset(opaque(block[20] + 64), 0x41, 64);
    free(block[20]);
    block[20] = get(64);
    memset(block[20], 20, 64);
    int silent = 0;
    for (int i = 0; i < 64; i++) {
        silent |= !holds_only(block[i], i, 64);
    }
    for (int i = 0; i < 64; i++) {
        free(block[i]);
    }
    take_stock(64, NULL);
    verdict(silent ? "SILENT" : "HARMLESS");
}
