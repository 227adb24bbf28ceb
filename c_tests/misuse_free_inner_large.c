/* what: free of a page-aligned address inside a live block of 1 MiB.
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(65536 bytes? inside the 1048576-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *p = get(1 << 20);
    memset(p, 0, 1 << 20);
    free(opaque((unsigned char *)(((uintptr_t)p + 65536) & ~(uintptr_t)4095)));
    take_stock(65536, p + 65536);
    take_stock_and_end(1 << 20, p);
}
