/* what: a block of 20,000 bytes freed twice, others between.
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(20480-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(20000);
    void *a = get(20000), *b = get(20000);
    free(a);
    free(b);
    free(opaque(a));
    take_stock_and_end(20000, NULL);
}
