/* what: libmems.so can be loaded with dlopen, used through dlsym, and closed, beside the malloc that is there.
 * plain: yes
 * stdout: ^MAIN\[1000:5095\]-> P\[1000:1099\] <-> H\[1100:5095\] <-> NULL$
 */
#include "check.h"
#include <dlfcn.h>
#include <stdio.h>

int main(void) {
    char *before = malloc(100);
    CHECK(before != NULL);
    void *library = dlopen(getenv("LIBMEMS"), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        check_put(dlerror());
        return 1;
    }
    void (*start)(void) = (void (*)(void))dlsym(library, "mems_init");
    void *(*give)(size_t) = (void *(*)(size_t))dlsym(library, "mems_malloc");
    void *(*get)(void *) = (void *(*)(void *))dlsym(library, "mems_get");
    void (*show)(void) = (void (*)(void))dlsym(library, "mems_print_stats");
    void (*finish)(void) = (void (*)(void))dlsym(library, "mems_finish");
    CHECK(start && give && get && show && finish);
    start();
    void *v = give(100);
    CHECK(v == (void *)1000);
    memset(get(v), 1, 100);
    show();
    finish();
    CHECK(dlclose(library) == 0);
    char *after = malloc(100);
    CHECK(after != NULL);
    free(before);
    free(after);
    return 0;
}
