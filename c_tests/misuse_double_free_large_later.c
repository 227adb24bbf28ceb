/* what: a block of 1 MiB freed, another one too, and the first again.
 */
#include "misuse.h"

int main(void) {
    void *a = get(1 << 20), *b = get(1 << 20);
    memset(a, 1, 1 << 20);
    free(a);
    free(b);
    free(opaque(a));
    take_stock_and_end(1 << 20, NULL);
}
