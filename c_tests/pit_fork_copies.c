/* what: a forked child sees its parent's blocks and changes only its own copy, with a heap of 64 MiB.
 * mode: preload
 */
#include "pit.h"

#define N 20000

int main(void) {
    static unsigned char *small[N];
    for (int i = 0; i < N; i++) {
        small[i] = get(1000);
        memset(small[i], i & 255, 1000);
    }
    unsigned char *large = get(44 << 20);
    memset(large, 7, 44 << 20);
    for (int round = 0; round < 3; round++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            CHECK(holds_only(large, 7, 44 << 20));
            memset(large, 9, 1 << 20);
            large = resize(large, 46 << 20);
            CHECK(large && large[0] == 9 && large[(44 << 20) - 1] == 7);
            free(large);
            for (int i = 0; i < N; i++) {
                CHECK(holds_only(small[i], i & 255, 1000));
                memset(small[i], 0, 1000);
                free(small[i]);
            }
            return 0;
        }
        CHECK(ended_well(child));
        CHECK(holds_only(large, 7, 44 << 20));
        for (int i = 0; i < N; i++) {
            CHECK(holds_only(small[i], i & 255, 1000));
        }
    }
    return 0;
}
