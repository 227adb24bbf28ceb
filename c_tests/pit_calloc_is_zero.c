/* what: calloc is zero in every size, also where dirty blocks, small and large, have just been freed.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    size_t sizes[] = {1, 8, 16, 24, 100, 500, 1000, 1024, 2000, 4096, 5000, 16384, 32768, 40000, 65536, 131072, 200000, 1 << 20, 3 << 20, 9 << 20};
    void *keep[64];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            int n = sizes[i] < 100000 ? 64 : 4;
            for (int k = 0; k < n; k++) {
                keep[k] = get(sizes[i]);
                CHECK(keep[k]);
                memset(keep[k], 0xdd, malloc_usable_size(keep[k]));
            }
            for (int k = 0; k < n; k++) {
                free(keep[k]);
            }
            for (int k = 0; k < n; k++) {
                keep[k] = get_zeroed(1, sizes[i]);
                CHECK(keep[k] && holds_only(keep[k], 0, sizes[i]));
                memset(keep[k], 0xdd, sizes[i]);
            }
            for (int k = 0; k < n; k++) {
                free(keep[k]);
            }
            /* What was one large block before is many small ones now, and the other way round. */
            void *p = get_zeroed(sizes[i] / 2 + 1, 3);
            CHECK(p && holds_only(p, 0, (sizes[i] / 2 + 1) * 3));
            memset(p, 0xdd, (sizes[i] / 2 + 1) * 3);
            free(p);
        }
    }
    return 0;
}
