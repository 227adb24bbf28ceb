/* what: a plugin opened with RTLD_DEEPBIND shares the program's heap: blocks cross over both ways.
 * mode: preload
 * plugin: pit_plugin
 */
#include "pit.h"
#include <dlfcn.h>

int main(void) {
    for (int i = 0; i < 3; i++) {
        void *handle = dlopen(library("pit_plugin"), RTLD_NOW | RTLD_DEEPBIND | (i == 1 ? RTLD_GLOBAL : RTLD_LOCAL));
        CHECK(handle);
        void *(*make)(size_t) = (void *(*)(size_t))dlsym(handle, "plugin_make");
        void (*drop)(void *) = (void (*)(void *))dlsym(handle, "plugin_drop");
        char *(*copy)(const char *) = (char *(*)(const char *))dlsym(handle, "plugin_copy");
        CHECK(make && drop && copy);
        for (size_t n = 1; n < 1 << 20; n = n * 2 + 3) {
            void *p = make(n);
            CHECK(malloc_usable_size(p) >= n);
            free(resize(p, n * 2));
            drop(get(n));
            char *s = copy("some text");
            CHECK(strcmp(s, "some text") == 0);
            free(s);
        }
        drop(make(10));
        CHECK(dlclose(handle) == 0);
    }
    return 0;
}
