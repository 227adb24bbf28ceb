/* what: a block is freed again after 1,000 other frees of its size.
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(64-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    static void *other[1000];
    warm_up(64);
    void *a = get(64);
    for (int i = 0; i < 1000; i++) {
        other[i] = get(64);
    }
    free(a);
    for (int i = 0; i < 1000; i++) {
        free(other[i]);
    }
    free(opaque(a));
    take_stock_and_end(64, NULL);
}
