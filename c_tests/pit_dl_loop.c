/* what: 1,500 times dlopen and dlclose of a plugin that uses the heap, while two threads start, allocate and end: no leak, no deadlock.
 * mode: preload
 * flags: -pthread
 * plugin: pit_plugin
 */
#include "pit.h"
#include <dlfcn.h>
#include <link.h>

static int stop;

static void *busy(void *seed) {
    for (unsigned long i = (unsigned long)seed; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        exercise(i, 100);
    }
    return NULL;
}

static int visit(struct dl_phdr_info *info, size_t size, void *none) {
    (void)size;
    (void)none;
    free(strdup(info->dlpi_name));
    return 0;
}

static void *walks(void *none) {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        dl_iterate_phdr(visit, NULL);
        pthread_t t;
        CHECK(pthread_create(&t, NULL, busy, none) == 0);
        usleep(500);
        pthread_detach(t);
    }
    return none;
}

int main(void) {
    pthread_t t[2];
    long warm = 0;
    char path[4200];
    snprintf(path, sizeof path, "%s", library("pit_plugin"));
    CHECK(pthread_create(&t[0], NULL, busy, NULL) == 0);
    for (int i = 0; i < 1500; i++) {
        void *handle = dlopen(path, i % 2 ? RTLD_NOW : RTLD_LAZY | RTLD_DEEPBIND);
        CHECK(handle);
        void *(*make)(size_t) = (void *(*)(size_t))dlsym(handle, "plugin_make");
        void (*drop)(void *) = (void (*)(void *))dlsym(handle, "plugin_drop");
        drop(make(1000));
        void *p = make(50);
        drop(NULL);
        CHECK(dlclose(handle) == 0);
        free(p);
        CHECK(dlopen("/does/not/exist.so", RTLD_NOW) == NULL);
        CHECK(strstr(dlerror(), "/does/not/exist.so"));
        if (i == 200) {
            warm = status_kib("VmRSS");
        }
    }
    CHECK(status_kib("VmRSS") < warm + 2048);
    CHECK(pthread_create(&t[1], NULL, walks, NULL) == 0);
    for (int i = 0; i < 20; i++) {
        void *handle = dlopen(path, RTLD_NOW);
        CHECK(handle && dlclose(handle) == 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    return 0;
}
