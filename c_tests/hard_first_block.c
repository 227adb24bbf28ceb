/* what: hardened from the first block on: one that a constructor takes before MeMS's own has run is guarded as well.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * links: early_malloc
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(2000-byte block, written past its end\)
 */
#include "pit.h"

extern char *made_early;

int main(void) {
    ((volatile char *)opaque(made_early))[2000] = 1;
    free(made_early);
    return 0;
}
