/* what: a stale pointer is freed when its block may have a new owner already, which still uses it.
 * stdout: ^(HARMLESS|EXPLOITABLE)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(48);
    void *a = get(48);
    free(a);
    unsigned char *owner = get(48);
    memset(owner, 0x77, 48);
    free(opaque(a));
    take_stock(48, owner);
    verdict(holds_only(owner, 0x77, 48) ? "HARMLESS" : "SILENT");
}
