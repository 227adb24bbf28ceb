/* what: every word of twenty freed blocks is set to an attacker's address; aligned and shifted by a header.
 * exit: SIGABRT
 * stderr: ^mems: malloc found a free list overwritten at 0x[0-9a-f]+
 * plain: no
 */
#include "misuse.h"

int main(void) {
    void **block[20];
    warm_up(96);
    for (int i = 0; i < 20; i++) {
        block[i] = get(96);
    }
    for (int i = 0; i < 20; i++) {
        free(block[i]);
    }
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < 12; k++) {
            ((void **)opaque(block[i]))[k] = target + (i % 2 ? 64 : 80);
        }
    }
    take_stock_and_end(96, NULL);
}
