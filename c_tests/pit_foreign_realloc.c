/* what: realloc of another allocator's block fails with NULL and leaves it alone; malloc_usable_size of it is 0 or what its owner says.
 * mode: preload
 * plain: no
 * links: pit_foreign
 * stderr: ^mems: realloc of 0x[0-9a-f]+ \(not from MeMS: left alone\)
 */
#include "pit.h"

void *foreign_make(size_t n);
void foreign_drop(void *p);

int main(void) {
    for (size_t n = 16; n < 4 << 20; n *= 3) {
        void *p = foreign_make(n);
        CHECK(resize(p, n * 2) == NULL);
        CHECK(resize(p, 1) == NULL);
        CHECK(holds_only(p, 0x5c, n));
        size_t usable = malloc_usable_size(p);
        CHECK(usable == 0 || usable >= n);
        foreign_drop(p);
    }
    exercise(1, 3000);
    return 0;
}
