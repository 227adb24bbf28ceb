/* A plugin that allocates at every point of its life. */
#include <stdlib.h>
#include <string.h>

static void *held[50];
static __thread void *own;

__attribute__((constructor)) static void loaded(void) {
    for (size_t i = 0; i < 50; i++) {
        held[i] = malloc(i * 30);
    }
}

char *plugin_make(size_t size) {
    free(own);
    own = malloc(100);
    free(own);
    own = NULL;
    char *p = malloc(size);
    if (p) {
        memset(p, 7, size);
    }
    return p;
}

__attribute__((destructor)) static void closed(void) {
    for (size_t i = 0; i < 50; i++) {
        free(held[i]);
    }
}
