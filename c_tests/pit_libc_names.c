/* what: the names __libc_malloc, __libc_free and so on serve the same heap as malloc and free.
 * mode: preload
 */
#include "pit.h"
#include <dlfcn.h>

int main(void) {
    void *(*m)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "__libc_malloc");
    void *(*c)(size_t, size_t) = (void *(*)(size_t, size_t))dlsym(RTLD_DEFAULT, "__libc_calloc");
    void *(*r)(void *, size_t) = (void *(*)(void *, size_t))dlsym(RTLD_DEFAULT, "__libc_realloc");
    void *(*a)(size_t, size_t) = (void *(*)(size_t, size_t))dlsym(RTLD_DEFAULT, "__libc_memalign");
    void *(*v)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "__libc_valloc");
    void *(*pv)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "__libc_pvalloc");
    void (*f)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "__libc_free");
    CHECK(m && c && r && a && v && pv && f);
    for (size_t n = 1; n < (size_t)4 << 20; n = n * 3 + 1) {
        unsigned char *p = opaque(m(n));
        CHECK(p && malloc_usable_size(p) >= n);
        memset(p, 3, n);
        p = resize(p, n + 100);
        CHECK(p && holds_only(p, 3, n));
        p = opaque(r(p, n / 2 + 1));
        CHECK(p && holds_only(p, 3, n / 2 + 1));
        free(p);
        f(get(n));
        p = opaque(c(n, 1));
        CHECK(p && holds_only(p, 0, n));
        free(p);
        p = opaque(a(512, n));
        CHECK(p && ALIGNED(p, 512));
        free(p);
        free(opaque(v(n)));
        free(opaque(pv(n)));
        f(opaque(memalign(64, n)));
    }
    f(NULL);
    return 0;
}
