/* what: realloc of a local array that is made to look like a block.
 * exit: SIGABRT
 * stderr: ^mems: realloc of 0x[0-9a-f]+ \(not a block of malloc\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    size_t local[64] __attribute__((aligned(64)));
    for (int i = 0; i < 64; i++) {
        local[i] = 0x41;
    }
    void *moved = resize(local + 2, 40);
    if (moved == local + 2) {
        verdict("EXPLOITABLE");
    }
    take_stock_and_end(0x38, local + 2);
}
