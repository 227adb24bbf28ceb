/* what: realloc(p, 0) frees the block and gives NULL, as glibc does, and nothing is left behind.
 */
#include "check.h"

int main(void) {
    for (size_t size = 1; size < 300000; size = size * 2 + 1) {
        void *p = malloc(size);
        CHECK(p != NULL);
        errno = 99;
        CHECK(realloc(p, unknown(0)) == NULL);
        CHECK_ERRNO(99);
    }
    long before = status_kib("VmRSS");
    for (int i = 0; i < 300000; i++) {
        char *p = malloc(1000);
        CHECK(p != NULL);
        p[0] = 1;
        CHECK(realloc(p, unknown(0)) == NULL);
    }
    CHECK(status_kib("VmRSS") < before + 2048);
    return 0;
}
