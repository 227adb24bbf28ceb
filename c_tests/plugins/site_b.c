/* A plugin that allocates; site_a.c is the same in other words, so that their code is laid out alike. */
#include <stdlib.h>

__attribute__((constructor)) static void loaded(void) {
    free(malloc(20));
}

void *plugin_take(size_t size) {
    void *p = malloc(size);
    return p;
}
