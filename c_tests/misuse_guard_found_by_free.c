/* what: bytes behind a guarded block, in its own page, are found when it is freed.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(61-byte block, written past its end\), called from 0x[0-9a-f]+ \(misuse_guard_found_by_free\+0x[0-9a-f]+\)$
 * stderr-not: freed from
 * stderr: ^mems:   allocated from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 */
#include "misuse.h"

int main(void) {
    free(get(1));
    char *p = get(61);
    ((volatile char *)opaque(p))[61] = 1;
    free(p);
    return 0;
}
