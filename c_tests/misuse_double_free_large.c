/* what: a block of 1 MiB freed twice in a row.
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(1048576-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    void *p = get(1 << 20);
    free(p);
    free(opaque(p));
    take_stock_and_end(1 << 20, NULL);
}
