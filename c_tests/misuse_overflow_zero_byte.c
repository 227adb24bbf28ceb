/* what: the string's final zero falls one byte behind a block that was asked exactly as long as the text.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *block[64];
    for (int i = 0; i < 64; i++) {
        block[i] = get(264);
        memset(block[i], i + 1, 264);
    }
    unsigned char *p = opaque(block[20]);
    p[264] = 0;
    for (int i = 0; i < 64; i++) {
        if (!holds_only(block[i], i + 1, 264)) {
            verdict("SILENT");
        }
    }
    for (int i = 63; i >= 0; i--) {
        free(block[i]);
    }
    take_stock_and_end(264, NULL);
}
