/* what: realloc of an address inside a live block.
 * exit: SIGABRT
 * stderr: ^mems: realloc of 0x[0-9a-f]+ \(32 bytes? inside the 160-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(160);
    unsigned char *p = get(160);
    memset(p, 0x22, 160);
    void *moved = resize(p + 32, 3000);
    take_stock(128, p + 32);
    take_stock(160, p);
    verdict(moved == NULL || holds_only(p, 0x22, 160) ? "HARMLESS" : "SILENT");
}
