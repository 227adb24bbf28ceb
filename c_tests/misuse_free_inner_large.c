/* what: free of a page-aligned address inside a live block of 1 MiB.
 */
#include "misuse.h"

int main(void) {
    unsigned char *p = get(1 << 20);
    memset(p, 0, 1 << 20);
    free(opaque((unsigned char *)(((uintptr_t)p + 65536) & ~(uintptr_t)4095)));
    take_stock(65536, p + 65536);
    take_stock_and_end(1 << 20, p);
}
