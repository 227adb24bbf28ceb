/* what: a realloc that fails leaves the block as it was, with NULL and ENOMEM; realloc(p, 0) frees; errno kept on success.
 * mode: preload
 */
#include "pit.h"

static void refuses(size_t size) {
    unsigned char *p = get(size);
    CHECK(p != NULL);
    memset(p, 0x5a, size);
    size_t beyond[] = {PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 4096, SIZE_MAX - 16, SIZE_MAX - 15, SIZE_MAX - 1,
                       SIZE_MAX, (size_t)1 << 50};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        errno = 0;
        CHECK(resize(p, beyond[i]) == NULL);
        CHECK_ERRNO(ENOMEM);
        CHECK(holds_only(p, 0x5a, size));
    }
    errno = 1234;
    p = resize(p, size + 1000);
    CHECK(p != NULL);
    CHECK(holds_only(p, 0x5a, size));
    p = resize(p, 1);
    CHECK(p != NULL && p[0] == 0x5a);
    CHECK_ERRNO(1234);
    free(p);
}

int main(void) {
    refuses(1);
    refuses(24);
    refuses(1000);
    refuses(70000);
    refuses(3 << 20);
    errno = 0;
    CHECK(resize(NULL, SIZE_MAX) == NULL);
    CHECK_ERRNO(ENOMEM);
    errno = 1234;
    void *p = resize(NULL, 0);
    CHECK(p != NULL);
    CHECK(resize(p, 0) == NULL);
    CHECK(resize(get(100000), 0) == NULL);
    CHECK_ERRNO(1234);
    /* A realloc(p, 0) that kept the block would need 6 GiB here. */
    for (int i = 0; i < 100000; i++) {
        CHECK(resize(get(64 << 10), 0) == NULL);
    }
    CHECK(status_kib("VmSize") < 1 << 20);
    return 0;
}
