/* what: the process has as many mappings as the kernel allows: malloc gives NULL and ENOMEM or works, free never fails, and all is well afterwards.
 * mode: preload
 */
#include "pit.h"

#define PAGES 70000

int main(void) {
    static unsigned char *large[50], *small[2000];
    for (int i = 0; i < 50; i++) {
        large[i] = get(300000);
        memset(large[i], i, 300000);
    }
    for (int i = 0; i < 2000; i++) {
        small[i] = get(3000);
        memset(small[i], i & 255, 3000);
    }
    /* Every second page of another protection is a mapping of its own. */
    char *field = mmap(NULL, (size_t)PAGES * 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(field != MAP_FAILED);
    int made = 0;
    while (made < PAGES && mprotect(field + (size_t)made * 2 * 4096, 4096, PROT_READ) == 0) {
        made++;
    }
    CHECK(made < PAGES);
    int got = 0, refused = 0;
    void *more[100];
    for (int i = 0; i < 100; i++) {
        errno = 0;
        more[i] = get(500000);
        if (more[i]) {
            memset(more[i], 1, 500000);
            got++;
        } else {
            CHECK_ERRNO(ENOMEM);
            refused++;
        }
    }
    CHECK(got + refused == 100);
    for (int i = 0; i < 50; i += 2) {
        errno = 9;
        free(large[i]);
        CHECK_ERRNO(9);
    }
    for (int i = 0; i < 2000; i += 2) {
        free(small[i]);
    }
    for (int i = 0; i < 100; i++) {
        free(more[i]);
    }
    void *p = get_zeroed(1, 250000);
    CHECK(!p || holds_only(p, 0, 250000));
    free(p);
    CHECK(munmap(field, (size_t)PAGES * 2 * 4096) == 0);
    for (int i = 1; i < 50; i += 2) {
        CHECK(holds_only(large[i], i, 300000));
        free(large[i]);
    }
    for (int i = 1; i < 2000; i += 2) {
        CHECK(holds_only(small[i], i & 255, 3000));
        free(small[i]);
    }
    p = get(100 << 20);
    CHECK(p);
    free(p);
    exercise(1, 5000);
    return 0;
}
