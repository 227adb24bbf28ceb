/* what: under MEMS_HUGEPAGES=1 blocks of all sizes come, grow, go and come back, and freed memory goes back to the kernel.
 * env: MEMS_HUGEPAGES=1
 */
#include "check.h"
#include <malloc.h>
#include <stdio.h>

enum { COUNT = 4000 };
static unsigned char *block[COUNT];
static size_t size[COUNT];

static long resident_pages(void) {
    long all, resident;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f != NULL && fscanf(f, "%ld %ld", &all, &resident) == 2 && fclose(f) == 0);
    return resident;
}

int main(void) {
    long before = resident_pages();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            size[i] = i % 100 == 0 ? 3 << 20 >> (i / 100 % 8) : 16u + (unsigned)(i * 37 % 9000);
            block[i] = malloc(size[i]);
            CHECK(block[i] != NULL);
            memset(block[i], i, size[i]);
        }
        for (int i = 0; i < COUNT; i += 3) {
            block[i] = realloc(block[i], size[i] * 2);
            CHECK(block[i] != NULL);
        }
        for (int i = 0; i < COUNT; i++) {
            CHECK(block[i][0] == (unsigned char)i && block[i][size[i] - 1] == (unsigned char)i);
            free(block[i]);
        }
    }
    CHECK(malloc_trim(0) == 1);
    CHECK(resident_pages() - before < 2048);
    return 0;
}
