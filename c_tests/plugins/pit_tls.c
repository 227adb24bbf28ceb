/* A plugin with much thread-local data of its own, which the dynamic linker allocates at the first use in a thread. */
#include "../pit.h"

static __thread char data[100000];
static __thread char *block;

int tls_touch(int value) {
    data[value * 7 % 100000] = 1;
    block = resize(block, (size_t)value % 1000 + 1);
    return data[value * 7 % 100000];
}

void tls_end(void) {
    free(block);
    block = NULL;
}
