/* what: a large block that shrinks gives its memory back; one that grows and shrinks in turn costs no more than its largest size.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    unsigned char *block[16];
    for (int i = 0; i < 16; i++) {
        block[i] = get(8 << 20);
        CHECK(block[i]);
        memset(block[i], 1, 8 << 20);
        block[i] = resize(block[i], 64 << 10);
        CHECK(block[i] && holds_only(block[i], 1, 64 << 10));
    }
    malloc_trim(0);
    CHECK(status_kib("VmRSS") < 40 << 10);
    for (int i = 0; i < 16; i++) {
        free(block[i]);
    }
    unsigned char *p = get(1);
    for (int i = 0; i < 200; i++) {
        p = resize(p, (size_t)(i % 2 ? 100 : 5 << 20));
        CHECK(p);
        p[0] = 1;
    }
    free(p);
    CHECK(status_kib("VmSize") < 128 << 10);
    return 0;
}
