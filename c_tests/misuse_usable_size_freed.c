/* what: malloc_usable_size of a freed block, whose answer a program would write by.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(64);
    unsigned char *p = get(64), *live;
    free(p);
    live = get(64);
    memset(live, 0x33, 64);
    size_t n = malloc_usable_size(opaque(p));
    if (p != live) {
        memset(opaque(p), 0x44, n);
    }
    take_stock(64, live);
    verdict(holds_only(live, 0x33, 64) ? "HARMLESS" : "SILENT");
}
