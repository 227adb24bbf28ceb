/* what: hardened, malloc gives zeros, whatever the block held before, and free leaves none of the old bytes.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 */
#include "pit.h"

int main(void) {
    static const size_t sizes[] = {1, 16, 40, 333, 4000, 20000, 32767, 70000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int i = 0; i < 500; i++) {
            unsigned char *p = get(sizes[s]);
            CHECK(holds_only(p, 0, sizes[s]));
            memset(p, 0x5a, sizes[s]);
            free(p);
            if (sizes[s] < 30000) {
                CHECK(holds_only(opaque(p), 0, sizes[s]));
            }
        }
    }
    return 0;
}
