/* what: a block of 1 MiB freed twice in a row.
 */
#include "misuse.h"

int main(void) {
    void *p = get(1 << 20);
    free(p);
    free(opaque(p));
    take_stock_and_end(1 << 20, NULL);
}
