/* what: main frees a block, then another thread frees it too.
 * flags: -pthread
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(48-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

static void *frees(void *p) {
    free(p);
    return NULL;
}

int main(void) {
    warm_up(48);
    void *p = get(48);
    pthread_t t;
    free(p);
    CHECK(pthread_create(&t, NULL, frees, opaque(p)) == 0);
    pthread_join(t, NULL);
    take_stock_and_end(48, NULL);
}
