/* what: an address inside a guarded block is given to realloc: reported with the stack of the block.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * exit: SIGABRT
 * stderr: ^mems: realloc of 0x[0-9a-f]+ \(16 bytes inside the 200-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+ \(misuse_guard_inner\+0x[0-9a-f]+\)$
 * stderr: ^mems:   allocated from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 */
#include "misuse.h"

int main(void) {
    free(get(1));
    char *p = get(200);
    free(resize(opaque(p + 16), 300));
    return 0;
}
