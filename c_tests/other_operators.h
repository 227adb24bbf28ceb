/* Blocks that cross between the operators new and delete of a plugin and ours: no error, since the loader may bind a call to
 * either. */
#include "pit.h"
#include <dlfcn.h>

int main(void) {
    void *plugin = dlopen(library("other_operators"), RTLD_NOW | RTLD_GLOBAL);
    CHECK(plugin);
    void *(*its_new)(size_t) = (void *(*)(size_t))dlsym(plugin, "its_new");
    void (*its_delete)(void *) = (void (*)(void *))dlsym(plugin, "its_delete");
    void *(*our_new)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "_Znwm");
    void (*our_delete)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "_ZdlPv");
    CHECK(its_new && its_delete && our_new && our_delete);
    CHECK(our_new != its_new && our_delete != its_delete);
    for (size_t size = 1; size < 100000; size += 997) {
        our_delete(its_new(size));
        its_delete(our_new(size));
    }
    return 0;
}
