/* what: loading and closing libmems.so itself a hundred times harms nobody and grows nothing.
 * plain: yes
 */
#include "check.h"
#include <dlfcn.h>

int main(void) {
    long rss = 0;
    for (int round = 0; round < 100; round++) {
        void *library = dlopen(getenv("LIBMEMS"), RTLD_LAZY);
        CHECK(library != NULL);
        void *(*give)(size_t) = (void *(*)(size_t))dlsym(library, "malloc");
        void (*gone)(void *) = (void (*)(void *))dlsym(library, "free");
        CHECK(give && gone);
        char *p = give(1000);
        CHECK(p != NULL);
        memset(p, 1, 1000);
        gone(p);
        CHECK(dlclose(library) == 0);
        if (round == 10) {
            rss = status_kib("VmRSS");
        }
    }
    CHECK(status_kib("VmRSS") < rss + 1024);
    return 0;
}
