/* what: a library in a namespace of its own (dlmopen), with a C library of its own, works beside us; threads and forks too.
 * mode: preload
 * flags: -pthread
 * plugin: pit_plugin
 */
#include "pit.h"
#include <dlfcn.h>

static void *thread(void *none) {
    exercise(1, 500);
    return none;
}

int main(void) {
    for (int i = 0; i < 5; i++) {
        void *handle = dlmopen(LM_ID_NEWLM, library("pit_plugin"), RTLD_NOW);
        CHECK(handle);
        void *(*make)(size_t) = (void *(*)(size_t))dlsym(handle, "plugin_make");
        void (*drop)(void *) = (void (*)(void *))dlsym(handle, "plugin_drop");
        CHECK(make && drop);
        for (size_t n = 1; n < 1 << 20; n = n * 2 + 3) {
            void *p = make(n);
            CHECK(p);
            memset(p, 1, n);
            drop(p);
        }
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        if (i < 4) {
            CHECK(dlclose(handle) == 0);
        }
    }
    return 0;
}
