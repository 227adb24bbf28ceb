/* what: the lowest byte of a freed block's first word is changed: a link that is not encoded then points beside a block.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *block[20];
    warm_up(64);
    for (int i = 0; i < 20; i++) {
        block[i] = get(64);
    }
    for (int i = 0; i < 20; i++) {
        free(block[i]);
    }
    for (int i = 0; i < 20; i++) {
        ((unsigned char *)opaque(block[i]))[0] ^= 0x10;
    }
    take_stock_and_end(64, NULL);
}
