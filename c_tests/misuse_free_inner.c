/* what: free of an address 32 bytes inside a live block of 160.
 */
#include "misuse.h"

int main(void) {
    warm_up(160);
    unsigned char *p = get(160);
    memset(p, 0, 160);
    free(opaque(p + 32));
    take_stock(32, NULL);
    take_stock(128, p + 32);
    take_stock_and_end(160, p);
}
