/* A library whose constructor allocates and frees: it runs before the constructors of a preloaded library. */
#include <stdlib.h>
#include <string.h>

char *made_early;
int early_blocks;

__attribute__((constructor(101))) static void early(void) {
    void *blocks[1000];
    for (int i = 0; i < 1000; i++) {
        blocks[i] = calloc(1, (size_t)i * 7);
        early_blocks += blocks[i] != NULL;
    }
    for (int i = 0; i < 1000; i++) {
        free(blocks[i]);
    }
    made_early = malloc(2000);
    memset(made_early, 9, 2000);
}
