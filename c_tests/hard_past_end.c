/* what: hardened, one zero byte right behind the asked end of a block is found when the block is freed.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(24-byte block, written past its end\), called from 0x[0-9a-f]+
 */
#include "pit.h"

int main(void) {
    char *p = get(24);
    memset(p, 'x', 24);
    ((volatile char *)opaque(p))[24] = 0;
    free(p);
    return 0;
}
