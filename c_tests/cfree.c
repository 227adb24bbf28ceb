/* what: cfree, which old programs call, is free.
 * plain: no
 */
#include "check.h"
#include <dlfcn.h>

int main(void) {
    void (*old_free)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "cfree");
    CHECK(old_free != NULL);
    long before = status_kib("VmRSS");
    for (int i = 0; i < 200000; i++) {
        char *p = calloc(1, 1000);
        CHECK(p != NULL);
        p[10] = 1;
        old_free(p);
    }
    old_free(NULL);
    CHECK(status_kib("VmRSS") < before + 2048);
    return 0;
}
