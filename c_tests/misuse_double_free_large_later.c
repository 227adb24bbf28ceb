/* what: a block of 1 MiB freed, another one too, and the first again.
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(1048576-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    void *a = get(1 << 20), *b = get(1 << 20);
    memset(a, 1, 1 << 20);
    free(a);
    free(b);
    free(opaque(a));
    take_stock_and_end(1 << 20, NULL);
}
