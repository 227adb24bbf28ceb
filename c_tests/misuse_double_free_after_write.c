/* what: a freed block is written over, then freed again: whatever marked it as free is gone.
 * exit: SIGABRT
 * stderr: ^mems: malloc found a free list overwritten at 0x
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(64);
    unsigned char *a = get(64), *b = get(64);
    free(a);
    memset(opaque(a), 0, 64);
    free(b);
    free(opaque(a));
    take_stock_and_end(64, NULL);
}
