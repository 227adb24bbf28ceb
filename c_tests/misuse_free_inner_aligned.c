/* what: free of the next aligned address inside a memalign block.
 */
#include "misuse.h"

int main(void) {
    unsigned char *p = opaque(memalign(4096, 16384));
    memset(p, 0, 16384);
    free(opaque(p + 4096));
    take_stock(4096, p + 4096);
    take_stock_and_end(12288, p + 4096);
}
