/* what: a value of MEMS_GUARD that is none is said in one line with the legal ones, and no block is guarded.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:0
 * stderr: ^mems: .*MEMS_GUARD.*off, sample or sample:N \(1 to 2\^30 blocks\)
 */
#include "pit.h"

int main(void) {
    free(get(1));
    char *p = get(100);
    free(p);
    return ((volatile char *)opaque(p))[32] > 1;
}
