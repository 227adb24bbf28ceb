/* what: the seed's own scenario prints, to the letter, what the specification shows, before and after reuse.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"
#include <stdio.h>

int main(void) {
    int *array[10];
    mems_init();
    for (int i = 0; i < 10; i++) {
        array[i] = mems_malloc(sizeof(int) * 250);
        CHECK((size_t)array[i] == (size_t)(i / 4) * 4096 + (size_t)(i % 4) * 1000 + 1000);
    }
    /* The address of array[0][1] is an inner one; what is written through it is read through the base. */
    int *inner = mems_get(&array[0][1]);
    CHECK(inner != NULL);
    *inner = 200;
    int *base = mems_get(&array[0][0]);
    CHECK(base[1] == 200);
    CHECK(base + 1 == inner);
    mems_print_stats();
    mems_free(array[3]);
    mems_print_stats();
    CHECK(mems_malloc(sizeof(int) * 250) == array[3]);
    mems_print_stats();
    mems_free(array[5]);
    mems_finish();
    return 0;
}
