/* what: RLIMIT_DATA: NULL and ENOMEM at the limit, and all of the memory again after free.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = (rlim_t)status_kib("VmData") * 1024 + (24 << 20);
    CHECK(setrlimit(RLIMIT_DATA, &limit) == 0);
    for (int round = 0; round < 4; round++) {
        void *block[64];
        int n = 0;
        for (;;) {
            errno = 0;
            block[n] = get((size_t)900000 + (size_t)round);
            if (!block[n]) {
                CHECK_ERRNO(ENOMEM);
                break;
            }
            memset(block[n], 1, 900000);
            CHECK(++n < 64);
        }
        CHECK(n >= 16);
        while (n > 0) {
            free(block[--n]);
        }
        exercise((unsigned long)round, 1000);
        malloc_trim(0);
    }
    return 0;
}
