/* what: realloc of a freed small block.
 * exit: SIGABRT
 * stderr: ^mems: realloc of 0x[0-9a-f]+ \(48-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(48);
    void *p = get(48), *q = get(48);
    free(p);
    free(q);
    void *again = resize(p, 50);
    take_stock(48, again);
    take_stock_and_end(50, again);
}
