/* what: hardened, writing behind a large block faults at once, at its very end.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGSEGV
 * stdout: ^whole$
 */
#include "pit.h"

int main(void) {
    size_t size = 1 << 20;
    char *p = get(size);
    memset(p, 1, size);
    puts("whole");
    fflush(stdout);
    ((volatile char *)opaque(p))[size] = 1;
    return 0;
}
