/* what: a guarded block is freed twice: one line, then both stacks, then abort.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(48-byte block, freed before\), called from 0x[0-9a-f]+ \(misuse_guard_double_free\+0x[0-9a-f]+\)$
 * stderr: ^mems:   allocated from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 * stderr: ^mems:   freed from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 */
#include "misuse.h"

int main(void) {
    free(get(1));
    void *p = get(48);
    free(p);
    free(opaque(p));
    return 0;
}
