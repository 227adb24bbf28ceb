/* what: when sizes change, larger blocks move into the holes of sparse slabs: they keep their bytes, can be resized, freed
 *       by this thread and by another, and a double or inner free of one is told as ever.
 * flags: -pthread
 * plain: no
 * env: MEMS_ON_ERROR=warn
 * stderr: ^mems: double free of 0x[0-9a-f]+ \(640-byte block, freed before\)
 * stderr: ^mems: free of 0x[0-9a-f]+ \([0-9]+ bytes inside the 640-byte block at 0x[0-9a-f]+\)
 */
#include "check.h"
#include <pthread.h>
#include <stdio.h>

enum { SMALL = 300000, LARGE = 30000 };
static unsigned char *small[SMALL], *large[LARGE];
static size_t sizes[LARGE];

static uint32_t state = 1;
static uint32_t any(uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(state >> 4) * below >> 28);
}

static long resident(void) {
    long pages = 0, rest;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%ld %ld", &rest, &pages) == 2);
    fclose(file);
    return pages * 4096;
}

static void *free_odd(void *none) {
    for (int i = 1; i < LARGE; i += 2) {
        free(large[i]);
    }
    return none;
}

int main(void) {
    memset(small, 0, sizeof small);
    memset(large, 0, sizeof large);
    for (int i = 0; i < SMALL; i++) {
        size_t size = 16 + any(240);
        CHECK((small[i] = malloc(size)) != NULL);
        memset(small[i], i & 255, size < 17 ? 16 : 17);
    }
    long full = resident();
    for (int i = 0; i < SMALL; i++) {
        if (any(10) != 0) {
            free(small[i]);
            small[i] = NULL;
        }
    }
    for (int i = 0; i < LARGE; i++) {
        sizes[i] = 300 + any(700);
        CHECK((large[i] = malloc(sizes[i])) != NULL);
        CHECK((uintptr_t)large[i] % 16 == 0);
        memset(large[i], i & 255, sizes[i]);
    }
    /* 19 MB more in blocks, of which most went into the holes. */
    CHECK(resident() < full + (8 << 20));
    for (int i = 0; i < LARGE; i++) {
        CHECK(holds_only(large[i], i & 255, sizes[i]));
        if (i % 5 == 0) {
            size_t size = 200 + any(1500);
            CHECK((large[i] = realloc(large[i], size)) != NULL);
            CHECK(holds_only(large[i], i & 255, size < sizes[i] ? size : sizes[i]));
            memset(large[i], i & 255, size);
            sizes[i] = size;
        }
    }
    for (int align = 32; align <= 4096; align *= 2) {
        void *p = aligned_alloc((size_t)align, (size_t)align);
        CHECK(p && (uintptr_t)p % (uintptr_t)align == 0);
        free(p);
    }
    /* Blocks of 640 bytes, surely some of them lent. */
    unsigned char *of_640[500];
    for (int i = 0; i < 500; i++) {
        CHECK((of_640[i] = malloc(640)) != NULL);
    }
    for (int i = 0; i < 500; i++) {
        unsigned char *volatile inner = of_640[i] + 320;
        if (i < 20) {
            free(inner);
        }
        free(of_640[i]);
        unsigned char *volatile again = of_640[i];
        if (i < 20) {
            free(again);
        }
    }
    for (int i = 0; i < SMALL; i++) {
        if (small[i]) {
            CHECK(holds_only(small[i], i & 255, 16));
            free(small[i]);
        }
    }
    pthread_t other;
    CHECK(pthread_create(&other, NULL, free_odd, NULL) == 0);
    for (int i = 0; i < LARGE; i += 2) {
        CHECK(holds_only(large[i], i & 255, sizes[i]));
        free(large[i]);
    }
    CHECK(pthread_join(other, NULL) == 0);
    return 0;
}
