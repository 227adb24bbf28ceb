/* what: hardened, a block of no bytes is an address of its own that cannot be written to.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGSEGV
 * stdout: ^two, freed, taken again$
 */
#include "pit.h"

int main(void) {
    char *a = get(0), *b = get(0);
    CHECK(a && b && a != b);
    CHECK(malloc_usable_size(a) == 0);
    free(a);
    free(b);
    a = get_zeroed(0, 8);
    CHECK(a);
    puts("two, freed, taken again");
    fflush(stdout);
    *(volatile char *)opaque(a) = 1;
    return 0;
}
