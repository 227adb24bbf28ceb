/* what: free of the next aligned address inside a memalign block.
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(4096 bytes? inside the 16384-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *p = opaque(memalign(4096, 16384));
    memset(p, 0, 16384);
    free(opaque(p + 4096));
    take_stock(4096, p + 4096);
    take_stock_and_end(12288, p + 4096);
}
