/* what: MEMS_ON_ERROR=warn says each misuse in a line, at most a hundred, drops the call, and the program goes on.
 * env: MEMS_ON_ERROR=warn
 * dump: yes
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(48-byte block, freed before\), called from 0x[0-9a-f]+$
 * stderr: ^mems: free of 0x[0-9a-f]+ \(8 bytes inside the 48-byte block at 0x[0-9a-f]+\), called from 0x[0-9a-f]+ \(further lines of this kind are not shown\)$
 */
#include "check.h"

int main(void) {
    char *p = malloc(unknown(48));
    CHECK(p);
    free(p);
    free((void *)unknown((size_t)p));
    char *q = malloc(unknown(48));
    CHECK(q);
    for (int i = 0; i < 200; i++) {
        free((void *)unknown((size_t)q + 8));
    }
    memset(q, 1, 48);
    free(q);
    return 0;
}
