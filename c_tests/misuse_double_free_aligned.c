/* what: a block of memalign freed twice, another between.
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(1024-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    void *p = opaque(memalign(1024, 500)), *q = opaque(memalign(1024, 500));
    free(p);
    free(q);
    free(opaque(p));
    take_stock_and_end(500, NULL);
}
