/* what: another thread frees main's block twice, with many others of main's between.
 * flags: -pthread
 * exit: SIGABRT
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(48-byte block, freed before\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

static void *block[200];

static void *frees(void *p) {
    free(p);
    for (int i = 0; i < 200; i++) {
        free(block[i]);
    }
    free(opaque(p));
    return NULL;
}

int main(void) {
    warm_up(48);
    void *p = get(48);
    for (int i = 0; i < 200; i++) {
        block[i] = get(48);
    }
    pthread_t t;
    CHECK(pthread_create(&t, NULL, frees, p) == 0);
    pthread_join(t, NULL);
    take_stock_and_end(48, NULL);
}
