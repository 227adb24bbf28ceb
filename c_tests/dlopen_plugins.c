/* what: a plugin that allocates in its constructor, in thread-local state and in its destructor is loaded and
 *       closed again and again, and blocks it gave away outlive it.
 * flags: -pthread
 * plugin: plugin
 */
#include "check.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static char path[4096];

static void *use(void *arg) {
    char *last = NULL;
    for (int round = 0; round < 200; round++) {
        void *plugin = dlopen(path, RTLD_NOW);
        CHECK(plugin != NULL);
        char *(*make)(size_t) = (char *(*)(size_t))dlsym(plugin, "plugin_make");
        CHECK(make != NULL);
        CHECK(dlsym(plugin, "no_such_name") == NULL && dlerror() != NULL);
        char *p = make((size_t)round * 20 + 1);
        CHECK(p != NULL);
        CHECK(dlclose(plugin) == 0);
        if (last) {
            CHECK(holds_only(last, 7, (size_t)(round - 1) * 20 + 1));
            free(last);
        }
        last = p;
    }
    free(last);
    return arg;
}

int main(void) {
    snprintf(path, sizeof path, "%s/plugin.so", getenv("PLUGINS"));
    pthread_t t[3];
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&t[i], NULL, use, NULL) == 0);
    }
    use(NULL);
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    return 0;
}
