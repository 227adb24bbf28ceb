/* what: with MEMS_HARDEN no huge pages are asked for, and one line says so.
 * env: MEMS_HARDEN=1
 * env: MEMS_HUGEPAGES=1
 * stderr: ^mems: MEMS_HUGEPAGES: not with MEMS_HARDEN, no huge pages are asked for$
 * stderr-not: madvise
 */
#include "check.h"

int main(void) {
    char *block = malloc(unknown(8 << 20));
    CHECK(block != NULL);
    memset(block, 1, 8 << 20);
    free(block);
    return 0;
}
