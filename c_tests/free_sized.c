/* what: C23's free_sized and free_aligned_sized free what malloc and aligned_alloc gave, take NULL, keep errno.
 * plain: no
 * mode: both
 */
#include "check.h"
#include <dlfcn.h>

int main(void) {
    /* The C library may not declare them yet; libmems.so has them. */
    void (*sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    void (*aligned)(void *, size_t, size_t) = (void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
    CHECK(sized && aligned);
    long before = status_kib("VmRSS");
    for (int i = 0; i < 100000; i++) {
        size_t size = (size_t)i % 3000;
        errno = 5;
        char *p = malloc(size);
        CHECK(p != NULL);
        memset(p, 1, size);
        sized(p, size);
        char *q = aligned_alloc(64, 64 * (size / 64 + 1));
        CHECK(q != NULL);
        memset(q, 1, size);
        aligned(q, 64, 64 * (size / 64 + 1));
        CHECK_ERRNO(5);
    }
    sized(NULL, 0);
    aligned(NULL, 64, 64);
    CHECK_ERRNO(5);
    CHECK(status_kib("VmRSS") < before + 8192);
    return 0;
}
