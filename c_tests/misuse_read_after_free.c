/* what: a freed block is read: is the secret still there?
 * stdout: ^(HARMLESS|SILENT)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(128);
    unsigned char *p = get(128), *q = get(128);
    memset(p, 0x53, 128);
    free(p);
    free(q);
    int seen = 0;
    for (int i = 0; i < 128; i++) {
        seen += ((volatile unsigned char *)opaque(p))[i] == 0x53;
    }
    verdict(seen >= 8 ? "SILENT" : "HARMLESS");
}
