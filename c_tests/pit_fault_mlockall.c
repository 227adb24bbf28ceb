/* what: mlockall of all that is and will be, with a limit of 8 to 16 MiB: the program starts, gets memory up to the limit, then NULL with ENOMEM (the kernel says EAGAIN), then goes on.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    if (limit.rlim_max > 16 << 20) {
        limit.rlim_max = 16 << 20;
    }
    limit.rlim_cur = limit.rlim_max;
    if (limit.rlim_max < 8 << 20) {
        return 0;
    }
    CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    if (geteuid() == 0) {
        CHECK(setgid(65534) == 0 && setuid(65534) == 0);
    }
    CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
    void *block[64];
    for (int round = 0; round < 3; round++) {
        int n = 0;
        for (;;) {
            errno = 0;
            block[n] = get(1 << 20);
            if (!block[n]) {
                CHECK_ERRNO(ENOMEM);
                break;
            }
            memset(block[n], 1, 1 << 20);
            CHECK(++n < 64);
        }
        CHECK(n >= 2);
        errno = 0;
        CHECK(resize(block[0], 32 << 20) == NULL);
        CHECK_ERRNO(ENOMEM);
        while (n > 0) {
            free(block[--n]);
        }
        exercise((unsigned long)round, 1000);
    }
    return 0;
}
