/* what: free of an address one byte inside a live block.
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(1 bytes? inside the 64-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(64);
    unsigned char *p = get(64);
    memset(p, 0, 64);
    free(opaque(p + 1));
    take_stock(63, p + 1);
    take_stock_and_end(64, p);
}
