/* what: a new block is read before it is written: does it show what the last owner kept there?
 * stdout: ^(HARMLESS|SILENT)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    unsigned char *block[100];
    warm_up(128);
    for (int i = 0; i < 100; i++) {
        block[i] = get(128);
        memset(block[i], 0x53, 128);
    }
    for (int i = 0; i < 100; i++) {
        free(block[i]);
    }
    int seen = 0;
    for (int i = 0; i < 100; i++) {
        block[i] = get(128);
        for (int k = 0; k < 128; k++) {
            seen += ((volatile unsigned char *)block[i])[k] == 0x53;
        }
    }
    verdict(seen >= 8 ? "SILENT" : "HARMLESS");
}
