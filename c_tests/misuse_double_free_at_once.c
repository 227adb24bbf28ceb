/* what: a small block freed twice in a row.
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(48-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(48);
    void *p = get(48);
    free(p);
    free(opaque(p));
    take_stock_and_end(48, NULL);
}
