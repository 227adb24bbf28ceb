/* what: hardened, realloc looks at the end of the block as free does.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: realloc of 0x[0-9a-f]+ \(100-byte block, written past its end\), called from 0x[0-9a-f]+
 */
#include "pit.h"

int main(void) {
    char *p = get(100);
    memset(opaque(p), 'x', 101);
    return resize(p, 5000) == NULL;
}
