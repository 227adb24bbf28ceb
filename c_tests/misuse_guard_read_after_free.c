/* what: a guarded block is read after free: the report says where in the block, by whom, and both stacks; the process dies by the fault.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * exit: SIGSEGV
 * stderr: ^mems: read after free of 0x[0-9a-f]+, 8 bytes inside the 100-byte block at 0x[0-9a-f]+, by 0x[0-9a-f]+ \(misuse_guard_read_after_free\+0x[0-9a-f]+\)$
 * stderr: ^mems:   allocated from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 * stderr: ^mems:   freed from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 */
#include "misuse.h"

int main(void) {
    free(get(1));
    char *p = get(100);
    free(p);
    return ((volatile char *)opaque(p))[8];
}
