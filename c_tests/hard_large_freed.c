/* what: hardened, the pages of a freed large block are gone at once, and no new block stands there soon.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * exit: SIGSEGV
 * stdout: ^not reused$
 */
#include "pit.h"

int main(void) {
    char *p = get(300000);
    free(p);
    for (int i = 0; i < 10; i++) {
        char *q = get(300000);
        CHECK(q + 300000 <= p || p + 300000 <= q);
        free(q);
    }
    puts("not reused");
    fflush(stdout);
    return ((volatile char *)opaque(p))[1000];
}
