/* what: the API works through dlopen and dlsym, in a program that is neither linked with it nor preloaded.
 * plain: yes
 * flags: -ldl
 */
#include "check.h"
#include <dlfcn.h>

int main(void) {
    void *library = dlopen(getenv("LIBMEMS"), RTLD_NOW);
    CHECK(library != NULL);
    void (*init)(void) = (void (*)(void))dlsym(library, "mems_init");
    void (*finish)(void) = (void (*)(void))dlsym(library, "mems_finish");
    void *(*take)(size_t) = (void *(*)(size_t))dlsym(library, "mems_malloc");
    void (*give)(void *) = (void (*)(void *))dlsym(library, "mems_free");
    void *(*get)(void *) = (void *(*)(void *))dlsym(library, "mems_get");
    void (*print)(void) = (void (*)(void))dlsym(library, "mems_print_stats");
    CHECK(init && finish && take && give && get && print);
    init();
    char *p = take(1000);
    CHECK(p == (char *)1000);
    memset(get(p), 1, 1000);
    CHECK(take(500) == (void *)2000);
    give(p);
    print();
    finish();
    return 0;
}
