/* what: hardened, bytes in front of a large block, in its first page, are found when it is freed.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(100000-byte block, written in front of its start\), called from 0x[0-9a-f]+
 */
#include "pit.h"

int main(void) {
    char *p = get(100000);
    ((volatile char *)opaque(p))[-9] = 1;
    free(p);
    return 0;
}
