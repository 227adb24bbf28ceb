/* what: hardened, free of an address inside a large block says in which one.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(65536 bytes inside the 1000000-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+
 */
#include "pit.h"

int main(void) {
    char *p = get(1000000);
    free(opaque(p + 65536));
    return 0;
}
