/* what: a, b, then a again are freed: the pattern that a look at the list's head does not see.
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(48-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(48);
    void *a = get(48), *b = get(48);
    free(a);
    free(b);
    free(opaque(a));
    take_stock_and_end(48, NULL);
}
