/* what: MEMS_ON_ERROR=ignore drops a misuse without a word.
 * env: MEMS_ON_ERROR=ignore
 * dump: yes
 * stderr-not: ^mems:
 */
#include "check.h"

int main(void) {
    char *p = malloc(unknown(48));
    CHECK(p);
    free((void *)unknown((size_t)p + 8));
    memset(p, 1, 48);
    free(p);
    free((void *)unknown((size_t)p));
    return 0;
}
