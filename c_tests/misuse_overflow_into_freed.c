/* what: an overflow writes an attacker's address over the freed neighbours' first words: a poisoned free list.
 * exit: SIGABRT
 * stderr: ^mems: malloc found a free list overwritten at 0x[0-9a-f]+
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *block[64];
    warm_up(64);
    for (int i = 0; i < 64; i++) {
        block[i] = get(64);
    }
    for (int i = 21; i < 40; i++) {
        free(block[i]);
    }
    void **at = opaque(block[20] + 64);
    for (int i = 0; i < 80; i++) {
        at[i] = target + 64;
    }
    take_stock_and_end(64, NULL);
}
