/* what: a guarded block at the start of its page is read in front of it: the page before faults.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * exit: SIGSEGV
 * stderr: ^mems: read of 0x[0-9a-f]+, 1 byte in front of the 64-byte block at 0x[0-9a-f]+, by 0x[0-9a-f]+ \(misuse_guard_in_front\+0x[0-9a-f]+\)$
 * stderr: ^mems:   allocated from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 */
#include "misuse.h"

int main(void) {
    char *p;
    free(get(1));
    while (p = get(64), (uintptr_t)p % 4096 != 0) {
        free(p);
    }
    return ((volatile char *)opaque(p))[-1];
}
