/* Calls of the family in known numbers, of which ten blocks stay: what the dump then says is the tests' own expectation. */
#include "pit.h"

#include <fcntl.h>

int main(void) {
    static void *p[1000];
    for (int i = 0; i < 1000; i++) {
        p[i] = get((size_t)i * 37);
    }
    for (int i = 0; i < 20; i++) {
        p[i] = resize(p[i], (size_t)i * 3000 + 1);
    }
    for (int i = 0; i < 1000; i++) {
        free(p[i]);
    }
    for (int i = 0; i < 50; i++) {
        p[i] = get_zeroed(3, 100);
    }
    for (int i = 0; i < 7; i++) {
        p[50 + i] = opaque(memalign(64, 1000));
    }
    for (int i = 57; i < 60; i++) {
        p[i] = get(1);
    }
    for (int i = 0; i < 50; i++) {
        free(p[i]);
    }
    return 0;
}
