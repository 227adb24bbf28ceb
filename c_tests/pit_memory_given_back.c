/* what: large blocks go back to the kernel when freed, small ones at malloc_trim.
 * mode: preload
 */
#include "pit.h"

#define N 600000

static void *small[N];

int main(void) {
    void *large[64];
    for (int i = 0; i < 64; i++) {
        large[i] = get(1 << 20);
        memset(large[i], 1, 1 << 20);
    }
    CHECK(status_kib("VmRSS") > 60 << 10);
    for (int i = 0; i < 64; i++) {
        free(large[i]);
    }
    malloc_trim(0);
    CHECK(status_kib("VmRSS") < 20 << 10);
    for (int i = 0; i < N; i++) {
        small[i] = get(100);
        memset(small[i], 1, 100);
    }
    CHECK(status_kib("VmRSS") > 60 << 10);
    for (int i = 0; i < N; i++) {
        free(small[i]);
    }
    malloc_trim(0);
    CHECK(status_kib("VmRSS") < 24 << 10);
    exercise(1, 1000);
    return 0;
}
