/* what: freed blocks of 2,000 bytes are written over whole, with an attacker's address (an unsorted list's links).
 * exit: SIGABRT
 * stderr: ^mems: malloc found a free list overwritten at 0x[0-9a-f]+
 * plain: no
 */
#include "misuse.h"

int main(void) {
    void **a = get(2000), **b = get(2000), **c = get(2000), **d = get(2000);
    free(a);
    free(c);
    for (int i = 0; i < 250; i++) {
        ((void **)opaque(a))[i] = target + 64;
        ((void **)opaque(c))[i] = target + 64;
    }
    take_stock(2000, NULL);
    free(b);
    free(d);
    take_stock_and_end(1000, NULL);
}
