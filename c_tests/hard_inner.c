/* what: hardened, free of an address inside a block says in which one, with the bytes that were asked.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(16 bytes inside the 50-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+
 */
#include "pit.h"

int main(void) {
    char *p = get(50);
    free(opaque(p + 16));
    return 0;
}
