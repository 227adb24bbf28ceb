/* The seed's session: ten arrays of 250 ints, a write through an inner address, the fourth freed, then taken again. */
#include "check.h"
#include "mems.h"
#include <stdio.h>

static inline void session(void) {
    int *array[10];
    mems_init();
    for (int i = 0; i < 10; i++) {
        array[i] = mems_malloc(sizeof(int) * 250);
    }
    CHECK((size_t)array[0] == MEMS_START_VA);
    int *inner = mems_get(&array[0][1]);
    CHECK(inner != NULL);
    *inner = 200;
    int *base = mems_get(&array[0][0]);
    CHECK(base + 1 == inner);
    CHECK(base[1] == 200);
    mems_print_stats();
    mems_free(array[3]);
    mems_print_stats();
    CHECK(mems_malloc(sizeof(int) * 250) == array[3]);
    mems_print_stats();
    mems_finish();
}
