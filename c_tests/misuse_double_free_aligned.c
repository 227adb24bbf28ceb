/* what: a block of memalign freed twice, another between: it is never given out twice (it is reported when it comes round again).
 * stdout: ^HARMLESS$
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
