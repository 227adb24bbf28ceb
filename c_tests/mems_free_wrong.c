/* what: mems_free of an inner, a freed or an unknown address changes nothing and says which of the three it is.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * stderr: ^mems: mems_free\(1001\): inner address of P\[1000:1999\], not its start; nothing changed
 * stderr: ^mems: mems_free\(2000\): in a HOLE: freed before, or never given out; nothing changed
 * stderr: ^mems: mems_free\(2500\): in a HOLE: freed before
 * stderr: ^mems: mems_free\(0\): unknown address
 * stderr: ^mems: mems_free\(5096\): unknown address, in no region; nothing changed
 */
#include "check.h"
#include "mems.h"

int main(void) {
    mems_init();
    char *first = mems_malloc(1000);
    char *second = mems_malloc(1000);
    mems_malloc(1000);
    mems_free(second);
    mems_print_stats();
    mems_free(first + 1);
    mems_free(second);
    mems_free(second + 500);
    mems_free(NULL);
    mems_free((void *)5096);
    mems_print_stats();
    return 0;
}
