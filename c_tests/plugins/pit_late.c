/* A library whose destructor, which runs after the program's and ours, frees what it was given and uses the heap.
 * flags: -pthread
 */
#include "../pit.h"

static void *given[4096];
static int count;

void late_give(void *p) {
    given[count++ % 4096] = p;
}

__attribute__((destructor)) static void late(void) {
    for (int i = 0; i < count && i < 4096; i++) {
        if (i % 3 == 0) {
            given[i] = resize(given[i], 200);
        }
        free(given[i]);
    }
    exercise(77, 3000);
    void *p = get(5 << 20);
    CHECK(p);
    memset(p, 1, 5 << 20);
    free(p);
}
