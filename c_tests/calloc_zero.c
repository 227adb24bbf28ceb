/* what: calloc with a count or a size of 0 gives a block of its own that can be freed.
 * mode: both
 */
#include "check.h"

int main(void) {
    void *a = calloc(unknown(0), 8);
    void *b = calloc(8, unknown(0));
    void *c = calloc(unknown(0), unknown(0));
    void *d = calloc(unknown(0), SIZE_MAX);
    CHECK(a && b && c && d);
    CHECK(a != b && a != c && a != d && b != c && b != d && c != d);
    free(a);
    free(b);
    free(c);
    free(d);
    return 0;
}
