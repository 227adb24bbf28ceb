/* what: realloc of an address inside a live block.
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
