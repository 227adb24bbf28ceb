/* what: memalign rounds an alignment that is no power of two up to the next one, as glibc does.
 */
#include "check.h"
#include <malloc.h>

int main(void) {
    const size_t cases[][2] = {{0, 16}, {3, 16}, {17, 32}, {24, 32}, {48, 64}, {1000, 1024}, {4097, 8192}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int round = 0; round < 20; round++) {
            char *p = memalign(unknown(cases[i][0]), 100);
            CHECK(p != NULL);
            CHECK(ALIGNED(p, cases[i][1]));
            memset(p, 1, 100);
            if (round % 2) {
                free(p);
            }
        }
    }
    return 0;
}
