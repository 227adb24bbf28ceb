/* A loop of 20 million malloc/free pairs of 16 to 512 bytes, each touched once: what a call costs and nothing else. */
#include <stdint.h>
#include <stdlib.h>

int main(void) {
    uint64_t random = 88172645463325252;
    for (int i = 0; i < 20000000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        volatile char *block = malloc(16 + (random >> 32) % 497);
        if (block == NULL) return 1;
        *block = 1;
        free((void *)block);
    }
    return 0;
}
