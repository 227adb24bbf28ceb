/* A plugin: it makes and drops blocks, and has a constructor, a destructor and thread-local state that do. */
#include "../pit.h"

static void *at_load;
static __thread char *state;

__attribute__((constructor)) static void load(void) {
    at_load = get(3000);
    CHECK(at_load);
}

__attribute__((destructor)) static void unload(void) {
    free(at_load);
    free(get(100));
}

void *plugin_make(size_t n) {
    state = resize(state, 64);
    state[0] = 1;
    return get(n);
}

void plugin_drop(void *p) {
    free(p);
    free(state);
    state = NULL;
}

char *plugin_copy(const char *text) {
    return strdup(text);
}
