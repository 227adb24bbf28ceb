/* A fixed course of blocks whose sizes are slot sizes, so that asked and usable bytes are the same. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void *keep[4096];

int main(void) {
    unsigned seed = 7;
    /* Up: 4096 blocks, of which a third goes again at once. */
    for (int i = 0; i < 4096; i++) {
        seed = seed * 1103515245 + 12345;
        size_t size = 16 * (1 + (seed >> 16) % 16);
        keep[i] = i % 5 == 0 ? calloc(1, size) : malloc(size);
        if (seed >> 20 & 1) {
            free(keep[i]);
            keep[i] = NULL;
        }
    }
    /* The peak: one block of 64 pages above all that. */
    void *large = malloc(64 * 4096);
    memset(large, 1, 64 * 4096);
    free(large);
    /* Down, with reallocs on the way, well below the peak; none to a smaller size. */
    for (int i = 0; i < 4096; i++) {
        if (keep[i] == NULL) continue;
        if (i % 7 == 0) keep[i] = realloc(keep[i], 256);
        else if (i % 3 != 0) {
            free(keep[i]);
            keep[i] = NULL;
        }
    }
    return 0;
}
