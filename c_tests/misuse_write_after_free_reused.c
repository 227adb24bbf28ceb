/* what: a stale pointer writes into a block that has a new owner by now.
 * stdout: ^(HARMLESS|SILENT)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(64);
    unsigned char *stale = get(64), *owner[8];
    free(stale);
    for (int i = 0; i < 8; i++) {
        owner[i] = get(64);
        memset(owner[i], 0x66, 64);
    }
    memset(opaque(stale), 0x41, 64);
    for (int i = 0; i < 8; i++) {
        if (!holds_only(owner[i], 0x66, 64)) {
            verdict("SILENT");
        }
        free(owner[i]);
    }
    take_stock_and_end(64, NULL);
}
