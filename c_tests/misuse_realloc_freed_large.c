/* what: realloc of a freed block of 1 MiB.
 * exit: SIGABRT
 * stderr: ^mems: realloc of 0x[0-9a-f]+ \(1048576-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    void *p = get(1 << 20), *q = get(1 << 20);
    memset(p, 1, 1 << 20);
    free(p);
    void *again = resize(p, (1 << 20) - 1000);
    take_stock(1 << 20, again);
    free(q);
    verdict("HARMLESS");
}
