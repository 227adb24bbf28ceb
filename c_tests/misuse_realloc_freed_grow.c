/* what: realloc of a freed block to a larger size: the old one would be freed a second time.
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
    void *again = resize(p, 5000);
    take_stock(5000, again);
    take_stock_and_end(48, NULL);
}
