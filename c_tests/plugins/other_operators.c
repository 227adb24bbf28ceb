/* A library with operators new and delete of its own, linked so that its own calls go to them and not to the first of the
 * process: what -Bsymbolic does for a C++ library that is built with its C++ library inside. */
#include <stdlib.h>

void *its_new(size_t size) {
    return malloc(size);
}

void its_delete(void *block) {
    free(block);
}

void *_Znwm(size_t size) {
    return its_new(size);
}

void _ZdlPv(void *block) {
    its_delete(block);
}
