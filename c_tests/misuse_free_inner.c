/* what: free of an address 32 bytes inside a live block of 160.
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(32 bytes? inside the 160-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(160);
    unsigned char *p = get(160);
    memset(p, 0, 160);
    free(opaque(p + 32));
    take_stock(32, NULL);
    take_stock(128, p + 32);
    take_stock_and_end(160, p);
}
