/* what: a buffer that grows by a little again and again keeps its bytes, beside another one that grows in turn.
 */
#include "check.h"

int main(void) {
    unsigned char *a = NULL, *b = NULL;
    size_t have = 0;
    for (size_t size = 1; size < (24u << 20); size += size / 10 + 13) {
        a = realloc(a, size);
        b = realloc(b, size);
        CHECK(a && b);
        memset(a + have, 0xa1, size - have);
        memset(b + have, 0xb2, size - have);
        have = size;
    }
    CHECK(holds_only(a, 0xa1, have));
    CHECK(holds_only(b, 0xb2, have));
    a = realloc(a, 10);
    b = realloc(b, 10000);
    CHECK(a && b);
    CHECK(holds_only(a, 0xa1, 10));
    CHECK(holds_only(b, 0xb2, 10000));
    free(a);
    free(b);
    return 0;
}
