/* what: a freed block of 1 MiB is written to, and reused.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *p = get(1 << 20);
    memset(p, 1, 1 << 20);
    free(p);
    memset(opaque(p), 0x41, 4096);
    unsigned char *q = get_zeroed(1, 1 << 20);
    if (!q || !holds_only(q, 0, 1 << 20)) {
        verdict("SILENT");
    }
    free(q);
    take_stock_and_end(1 << 20, NULL);
}
