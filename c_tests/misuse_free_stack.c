/* what: free of a local array that looks like nothing in particular.
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(not a block of malloc\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char local[256] __attribute__((aligned(64)));
    memset(local, 0, sizeof local);
    free(opaque(local + 64));
    take_stock_and_end(48, local + 64);
}
