/* what: a small block freed twice in a row.
 */
#include "misuse.h"

int main(void) {
    warm_up(48);
    void *p = get(48);
    free(p);
    free(opaque(p));
    take_stock_and_end(48, NULL);
}
