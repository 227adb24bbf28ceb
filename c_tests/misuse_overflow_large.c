/* what: writing on and on behind a block of 1 MiB: the write faults where nothing is mapped there, hits memory that is
 *       nobody's, or free finds what it overwrote.
 * exit: SIGABRT
 * exit: 0
 * stdout-not: SILENT|EXPLOITABLE
 * stderr: ^(mems: free .* overwritten|FAULTED$|== mems )
 * plain: no
 */
#include "misuse.h"
#include <signal.h>

static void faulted(int signal) {
    (void)signal;
    CHECK(write(2, "FAULTED\n", 8) == 8);
    abort();
}

int main(void) {
    signal(SIGSEGV, faulted);
    unsigned char *a = get(1 << 20), *b = get(1 << 20), *c = get(1 << 20);
    memset(a, 1, 1 << 20);
    memset(b, 2, 1 << 20);
    memset(c, 3, 1 << 20);
    memset(opaque(b + (1 << 20)), 0x41, 16384);
    if (!holds_only(a, 1, 1 << 20) || !holds_only(c, 3, 1 << 20)) {
        verdict("SILENT");
    }
    free(a);
    free(b);
    free(c);
    take_stock(16384, NULL);
    take_stock_and_end(1 << 20, NULL);
}
