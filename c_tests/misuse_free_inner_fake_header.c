/* what: free of an inner address in front of which the program's bytes look like a block's header.
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(128 bytes? inside the 512-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(512);
    size_t *p = get(512);
    for (int i = 0; i < 64; i++) {
        p[i] = 0x51;
    }
    free(opaque(p + 16));
    take_stock(0x48, p + 16);
    take_stock_and_end(512, p);
}
