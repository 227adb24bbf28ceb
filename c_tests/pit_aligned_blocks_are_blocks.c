/* what: aligned blocks of every alignment and size are free of overlap, can be resized, measured, and freed in any order.
 * mode: preload
 */
#include "pit.h"

#define N 600

int main(void) {
    struct {
        unsigned char *at;
        size_t size;
    } block[N];
    unsigned long state = 42;
    for (int i = 0; i < N; i++) {
        size_t alignment = (size_t)16 << next_random(&state) % 11;
        block[i].size = next_random(&state) % 9000 + 1;
        block[i].at = opaque(memalign(alignment, block[i].size));
        CHECK(block[i].at && ALIGNED(block[i].at, alignment));
        CHECK(malloc_usable_size(block[i].at) >= block[i].size);
        memset(block[i].at, i & 255, malloc_usable_size(block[i].at));
    }
    for (int i = 0; i < N; i++) {
        CHECK(holds_only(block[i].at, i & 255, block[i].size));
    }
    for (int i = 0; i < N; i += 2) {
        size_t size = next_random(&state) % 20000 + 1;
        block[i].at = resize(block[i].at, size);
        CHECK(block[i].at);
        CHECK(holds_only(block[i].at, i & 255, size < block[i].size ? size : block[i].size));
        memset(block[i].at, i & 255, size);
        block[i].size = size;
    }
    for (int i = 0; i < N; i++) {
        int k = i * 7 % N;
        CHECK(holds_only(block[k].at, k & 255, block[k].size));
        free(block[k].at);
    }
    return 0;
}
