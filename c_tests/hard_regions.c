/* what: hardened, no page ever holds blocks of two sizes, not even after everything was freed.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 */
#include "pit.h"

enum { COUNT = 4000 };

int main(void) {
    static void *small[COUNT], *other[COUNT];
    for (int i = 0; i < COUNT; i++) {
        small[i] = get(100);
    }
    for (int i = 0; i < COUNT; i++) {
        free(small[i]);
    }
    malloc_trim(0);
    for (int i = 0; i < COUNT; i++) {
        other[i] = get(200);
    }
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < COUNT; k++) {
            CHECK((uintptr_t)other[i] >> 12 != (uintptr_t)small[k] >> 12);
        }
    }
    return 0;
}
