/* what: after all of a large heap is freed, malloc_trim(0) gives its pages back to the system.
 */
#include "check.h"
#include <malloc.h>

#define COUNT 65536

int main(void) {
    static char *blocks[COUNT];
    long start = status_kib("VmRSS");
    char *kept = malloc(100);
    memset(kept, 5, 100);
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = malloc(1024);
        CHECK(blocks[i] != NULL);
        memset(blocks[i], 1, 1024);
    }
    CHECK(status_kib("VmRSS") > start + 60000);
    for (int i = 0; i < COUNT; i++) {
        free(blocks[i]);
    }
    errno = 7;
    int released = malloc_trim(0);
    CHECK(released == 0 || released == 1);
    CHECK_ERRNO(7);
    CHECK(status_kib("VmRSS") < start + 16384);
    CHECK(holds_only(kept, 5, 100));
    free(kept);
    CHECK(malloc_trim(1 << 20) >= 0);
    return 0;
}
