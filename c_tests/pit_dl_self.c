/* what: the program opens the very library that serves its malloc, again and by hand, and closes it: nothing is loaded twice or unloaded.
 * mode: preload
 */
#include "pit.h"
#include <dlfcn.h>

int main(void) {
    Dl_info who;
    void *(*resolved)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "malloc");
    CHECK(resolved && dladdr((void *)resolved, &who));
    void *keep = get(100);
    long before = mappings();
    for (int i = 0; i < 100; i++) {
        void *handle = dlopen(who.dli_fname, RTLD_NOW | RTLD_GLOBAL);
        CHECK(handle);
        CHECK(dlsym(handle, "malloc") == (void *)resolved);
        void *p = resolved(200);
        CHECK(dlclose(handle) == 0);
        free(p);
        CHECK(dlclose(dlopen(NULL, RTLD_NOW)) == 0);
    }
    CHECK(mappings() < before + 8);
    void *handle = dlopen(who.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    CHECK(handle);
    for (int i = 0; i < 10; i++) {
        dlclose(handle);
    }
    free(resize(keep, 1000));
    exercise(1, 2000);
    return 0;
}
