/* what: free of a static array, made to look like a block.
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(not a block of malloc\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    size_t *fake = (size_t *)target;
    for (int i = 0; i < 128; i++) {
        fake[i] = 0x61;
    }
    free(opaque(fake + 2));
    take_stock_and_end(0x58, target);
}
