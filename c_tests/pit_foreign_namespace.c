/* what: a block of a dlmopen namespace's own C library, given to our free, is warned about once and left alone.
 * mode: preload
 * plain: no
 * plugin: pit_plugin
 * stderr: ^mems: free of 0x[0-9a-f]+ \(not from MeMS: left alone\)
 */
#include "pit.h"
#include <dlfcn.h>

int main(void) {
    void *handle = dlmopen(LM_ID_NEWLM, library("pit_plugin"), RTLD_NOW);
    CHECK(handle);
    void *(*make)(size_t) = (void *(*)(size_t))dlsym(handle, "plugin_make");
    void (*drop)(void *) = (void (*)(void *))dlsym(handle, "plugin_drop");
    for (size_t n = 10; n < 4 << 20; n *= 4) {
        unsigned char *p = make(n);
        CHECK(p);
        memset(p, 0x3a, n);
        free(p);
        CHECK(holds_only(p, 0x3a, n));
        drop(p);
    }
    exercise(2, 2000);
    return 0;
}
