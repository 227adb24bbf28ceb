/* A plugin that gives a block. */
#include <stdlib.h>
void *give(void) { return malloc(1234); }
