/* Blocks of the C library's own malloc, whoever has interposed malloc: its symbol is asked of the library itself. */
#include "../pit.h"
#include <dlfcn.h>

static void *libc(void) {
    void *handle = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    CHECK(handle);
    return handle;
}

void *foreign_make(size_t n) {
    void *(*make)(size_t) = (void *(*)(size_t))dlsym(libc(), "malloc");
    CHECK(make);
    void *p = make(n);
    CHECK(p);
    memset(p, 0x5c, n);
    return p;
}

void *foreign_make_aligned(size_t alignment, size_t n) {
    void *(*make)(size_t, size_t) = (void *(*)(size_t, size_t))dlsym(libc(), "memalign");
    CHECK(make);
    return make(alignment, n);
}

void foreign_drop(void *p) {
    void (*drop)(void *) = (void (*)(void *))dlsym(libc(), "free");
    CHECK(drop);
    drop(p);
}
