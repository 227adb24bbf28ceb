/* what: dlopen searches the RUNPATH of the library that calls it, and its $ORIGIN is that library's directory, with RTLD_DEEPBIND too.
 * mode: preload
 * plugin: pit_plugin
 * plugin: pit_opener
 */
#include "pit.h"
#include <dlfcn.h>

int main(void) {
    char directory[4300], link_name[4400];
    snprintf(directory, sizeof directory, "%s", library("pit_private"));
    *strrchr(directory, '.') = 0;
    mkdir(directory, 0700);
    snprintf(link_name, sizeof link_name, "%s/pit_by_runpath_%d.so", directory, (int)getpid());
    CHECK(symlink(library("pit_plugin"), link_name) == 0);
    const char *name = strrchr(link_name, '/') + 1;

    int flags[] = {RTLD_NOW, RTLD_LAZY | RTLD_DEEPBIND, RTLD_NOW | RTLD_GLOBAL | RTLD_DEEPBIND};
    for (int i = 0; i < 3; i++) {
        int found[3];
        void *opener = dlopen(library("pit_opener"), RTLD_NOW);
        CHECK(opener);
        void *(*open_it)(const char *, int) = (void *(*)(const char *, int))dlsym(opener, "opener_open");
        CHECK(open_it);
        /* Not from here: this program's own search path does not have it. */
        void *handle = dlopen(name, flags[i]);
        found[0] = handle != NULL;
        handle = open_it(name, flags[i]);
        found[1] = handle != NULL;
        if (handle) {
            CHECK(dlclose(handle) == 0);
        }
        char by_origin[4500];
        snprintf(by_origin, sizeof by_origin, "$ORIGIN/pit_private/%s", name);
        handle = open_it(by_origin, flags[i]);
        found[2] = handle != NULL;
        if (handle) {
            CHECK(dlclose(handle) == 0);
        }
        if (i == 2 || !(found[0] == 0 && found[1] && found[2])) {
            unlink(link_name);
            rmdir(directory);
        }
        CHECK(!found[0]);
        CHECK(found[1]);
        CHECK(found[2]);
        CHECK(dlclose(opener) == 0);
    }
    return 0;
}
