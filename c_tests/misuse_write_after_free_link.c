/* what: a freed block's first word is set to an attacker's address, then the size is asked for again.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(64);
    void **a = get(64), **b = get(64);
    free(a);
    free(b);
    *(void **)opaque(b) = target + 64;
    take_stock_and_end(64, NULL);
}
