/* what: a block is freed again after 1,000 other frees of its size: it is never given out twice (it is reported when it comes round again).
 * stdout: ^HARMLESS$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    static void *other[1000];
    warm_up(64);
    void *a = get(64);
    for (int i = 0; i < 1000; i++) {
        other[i] = get(64);
    }
    free(a);
    for (int i = 0; i < 1000; i++) {
        free(other[i]);
    }
    free(opaque(a));
    take_stock_and_end(64, NULL);
}
