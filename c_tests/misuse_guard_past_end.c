/* what: a guarded block at the end of its page is written past its end: the next page faults.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * exit: SIGSEGV
 * stderr: ^mems: write to 0x[0-9a-f]+, 0 bytes past the end of the 64-byte block at 0x[0-9a-f]+, by 0x[0-9a-f]+ \(misuse_guard_past_end\+0x[0-9a-f]+\)$
 * stderr-not: freed from
 * stderr: ^mems:   allocated from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 */
#include "misuse.h"

int main(void) {
    char *p;
    free(get(1));
    while (p = get(64), ((uintptr_t)p + 64) % 4096 != 0) {
        free(p);
    }
    memset(p, 1, 64);
    ((volatile char *)opaque(p))[64] = 1;
    return 0;
}
