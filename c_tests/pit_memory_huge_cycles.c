/* what: 60 blocks of 64 MiB to 1 GiB, one after another, hardly touched: address space and memory come back.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    for (int i = 0; i < 60; i++) {
        size_t size = ((size_t)64 << 20) << i % 5;
        unsigned char *p = i % 2 ? get(size) : get_zeroed(1, size);
        CHECK(p);
        p[0] = p[size / 2] = p[size - 1] = 1;
        if (i % 3 == 0) {
            p = resize(p, size + (8 << 20));
            CHECK(p && p[0] == 1 && p[size - 1] == 1);
        }
        free(p);
    }
    malloc_trim(0);
    CHECK(status_kib("VmSize") < 300 << 10);
    CHECK(status_kib("VmRSS") < 20 << 10);
    return 0;
}
