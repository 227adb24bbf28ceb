/* what: a guarded block is written to after many others were freed: its page is still gone.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * exit: SIGSEGV
 * stderr: ^mems: write after free to 0x[0-9a-f]+, 0 bytes inside the 48-byte block at 0x[0-9a-f]+, by 0x[0-9a-f]+ \(misuse_guard_write_after_free\+0x[0-9a-f]+\)$
 * stderr: ^mems:   allocated from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 * stderr: ^mems:   freed from 0x[0-9a-f]+ \(misuse_guard_[a-z_]+\+0x[0-9a-f]+\)$
 */
#include "misuse.h"

int main(void) {
    free(get(1));
    char *p = get(48);
    free(p);
    for (int i = 0; i < 200; i++) {
        free(get(48));
    }
    ((volatile char *)opaque(p))[0] = 1;
    return 0;
}
