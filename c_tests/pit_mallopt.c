/* what: mallopt takes the C library's parameters, and the heap goes on whatever they are.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    int parameters[] = {M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX, M_ARENA_TEST, M_CHECK_ACTION};
    int values[] = {65536, 65536, 4096, 0, 1, 1, 3};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        CHECK(mallopt(parameters[i], values[i]) == 1);
        exercise(i, 1000);
    }
    void *p = get(4 << 20);
    CHECK(p);
    memset(p, 1, 4 << 20);
    free(p);
    return 0;
}
