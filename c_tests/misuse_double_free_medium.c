/* what: a block of 20,000 bytes freed twice, others between.
 */
#include "misuse.h"

int main(void) {
    warm_up(20000);
    void *a = get(20000), *b = get(20000);
    free(a);
    free(b);
    free(opaque(a));
    take_stock_and_end(20000, NULL);
}
