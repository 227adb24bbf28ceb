/* what: free of an address one byte inside a live block.
 */
#include "misuse.h"

int main(void) {
    warm_up(64);
    unsigned char *p = get(64);
    memset(p, 0, 64);
    free(opaque(p + 1));
    take_stock(63, p + 1);
    take_stock_and_end(64, p);
}
