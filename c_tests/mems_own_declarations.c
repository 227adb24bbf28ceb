/* what: a program that declares the six functions itself gets the defaults 4096 and 1000.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"

void mems_init(void);
void mems_finish(void);
void *mems_malloc(size_t size);
void mems_free(void *ptr);
void mems_print_stats(void);
void *mems_get(void *v_ptr);

int main(void) {
    mems_init();
    CHECK(mems_malloc(1) == (void *)1000);
    CHECK(mems_malloc(4096) == (void *)5096);
    mems_print_stats();
    mems_free((void *)1000);
    CHECK(mems_get((void *)5096) != NULL);
    mems_finish();
    return 0;
}
