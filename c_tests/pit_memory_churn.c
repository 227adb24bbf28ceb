/* what: half a million random replacements among 3,000 live blocks of 1 byte to 100 kB: memory stays within twice the live bytes and a bit.
 * mode: preload
 */
#include "pit.h"

#define N 3000

int main(void) {
    static unsigned char *block[N];
    static size_t size[N];
    unsigned long state = 1234567;
    size_t live = 0, most = 0;
    for (int i = 0; i < 500000; i++) {
        size_t k = next_random(&state) % N;
        if (block[k]) {
            CHECK(block[k][0] == (unsigned char)k && block[k][size[k] - 1] == (unsigned char)k);
        }
        free(block[k]);
        live -= size[k];
        size[k] = next_random(&state) % 20 ? next_random(&state) % 1000 + 1 : next_random(&state) % 100000 + 1;
        block[k] = get(size[k]);
        CHECK(block[k]);
        live += size[k];
        most = live > most ? live : most;
        for (size_t at = 0; at < size[k]; at += 4096) {
            block[k][at] = 1;
        }
        block[k][0] = (unsigned char)k;
        block[k][size[k] - 1] = (unsigned char)k;
    }
    CHECK(status_kib("VmHWM") < (long)(most / 1024 * 2) + 8192);
    for (int i = 0; i < N; i++) {
        free(block[i]);
    }
    return 0;
}
