/* what: reallocarray is realloc of the product: grows, shrinks, starts from NULL, and frees at 0.
 * mode: both
 */
#include "check.h"

int main(void) {
    unsigned *p = NULL;
    for (size_t n = 1; n < 200000; n = n * 2 + 1) {
        p = reallocarray(p, n, sizeof *p);
        CHECK(p != NULL);
        for (size_t i = n / 2; i < n; i++) {
            p[i] = (unsigned)i * 7;
        }
        for (size_t i = 0; i < n; i++) {
            p[i] = (unsigned)i * 7;
        }
    }
    p = reallocarray(p, 10, sizeof *p);
    CHECK(p != NULL);
    for (unsigned i = 0; i < 10; i++) {
        CHECK(p[i] == i * 7);
    }
    CHECK(reallocarray(p, unknown(0), 8) == NULL);
    return 0;
}
