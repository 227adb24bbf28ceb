/* what: a block of memalign freed twice.
 */
#include "misuse.h"

int main(void) {
    void *p = opaque(memalign(1024, 500)), *q = opaque(memalign(1024, 500));
    free(p);
    free(q);
    free(opaque(p));
    take_stock_and_end(500, NULL);
}
