/* what: a freed block of 1 MiB is read: is the secret still there?
 * stdout: ^(HARMLESS|SILENT)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *p = get(1 << 20);
    memset(p, 0x53, 1 << 20);
    free(p);
    int seen = 0;
    for (int i = 0; i < 1 << 20; i += 512) {
        seen += ((volatile unsigned char *)opaque(p))[i] == 0x53;
    }
    verdict(seen >= 8 ? "SILENT" : "HARMLESS");
}
