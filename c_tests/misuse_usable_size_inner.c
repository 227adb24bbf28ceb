/* what: malloc_usable_size of an inner address: an answer larger than what is left of the block would overflow.
 * exit: SIGABRT
 * stderr: ^mems: malloc_usable_size of 0x[0-9a-f]+ \(16 bytes? inside the 64-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    warm_up(64);
    unsigned char *p = get(64);
    size_t room = malloc_usable_size(p);
    size_t *words = (size_t *)p;
    for (int i = 0; i < 8; i++) {
        words[i] = 0x1001;
    }
    size_t n = malloc_usable_size(opaque(p + 16));
    verdict(n <= room - 16 ? "HARMLESS" : "SILENT");
}
