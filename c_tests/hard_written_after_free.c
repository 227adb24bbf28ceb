/* what: hardened, a freed block that is written to is found by malloc before it is given out again.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: malloc found the freed 200-byte block at 0x[0-9a-f]+ written to$
 */
#include "pit.h"

int main(void) {
    char *p = get(200);
    free(p);
    ((volatile char *)opaque(p))[150] = 1;
    for (int i = 0; i < 100000; i++) {
        free(get(200));
    }
    return 0;
}
