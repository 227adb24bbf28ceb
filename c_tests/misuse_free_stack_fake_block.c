/* what: free of a local array made to look like a block, header and successor included ("house of spirit").
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(not a block of malloc\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    size_t local[64] __attribute__((aligned(64)));
    for (int i = 0; i < 64; i++) {
        local[i] = 0x41;
    }
    free(opaque(local + 2));
    take_stock_and_end(0x38, local + 2);
}
