/* A library whose constructor opens another one that lies beside it and takes a block from it. */
#include "../pit.h"
#include <dlfcn.h>

static void *block;

__attribute__((constructor)) static void early(void) {
    void *handle = dlopen(library("pit_plugin"), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    CHECK(handle);
    void *(*make)(size_t) = (void *(*)(size_t))dlsym(handle, "plugin_make");
    CHECK(make);
    block = make(1000);
}

void *early_dlopened(void) {
    return block;
}
