/* what: a constructor of the program's library calls dlopen, with RTLD_DEEPBIND, before our constructor has run.
 * mode: preload
 * plugin: pit_plugin
 * links: pit_early_dlopen
 */
#include "pit.h"

void *early_dlopened(void);

int main(void) {
    void *p = early_dlopened();
    CHECK(p);
    memset(p, 1, 1000);
    free(resize(p, 2000));
    return 0;
}
