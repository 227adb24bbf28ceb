/* what: a block of a thread that has ended is freed twice by main.
 * flags: -pthread
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(48-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

static void *makes(void *none) {
    (void)none;
    warm_up(48);
    return get(48);
}

int main(void) {
    void *p;
    pthread_t t;
    CHECK(pthread_create(&t, NULL, makes, NULL) == 0);
    pthread_join(t, &p);
    free(p);
    free(get(100));
    free(opaque(p));
    take_stock_and_end(48, NULL);
}
