/* what: freed blocks are written to before calloc gives them out again: it must be zero all the same.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"

int main(void) {
    static unsigned char *block[100];
    for (int i = 0; i < 100; i++) {
        block[i] = get_zeroed(1, 256);
    }
    for (int i = 0; i < 100; i++) {
        free(block[i]);
    }
    for (int i = 0; i < 100; i++) {
        memset((unsigned char *)opaque(block[i]) + 16, 0x41, 200);
    }
    for (int i = 0; i < 100; i++) {
        block[i] = get_zeroed(1, 256);
        if (!holds_only(block[i], 0, 256)) {
            verdict("SILENT");
        }
    }
    take_stock_and_end(256, NULL);
}
