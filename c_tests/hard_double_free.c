/* what: hardened, a block freed twice is reported with the bytes that were asked, however many others were freed between.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(41-byte block, freed before\), called from 0x[0-9a-f]+
 */
#include "pit.h"

int main(void) {
    void *first = get(41);
    free(first);
    for (int i = 0; i < 20; i++) {
        free(get(41));
    }
    free(opaque(first));
    return 0;
}
