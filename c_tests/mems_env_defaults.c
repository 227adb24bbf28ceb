/* what: MEMS_PAGE_SIZE and MEMS_START_VA set the defaults of a program that declares the functions itself.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * env: MEMS_PAGE_SIZE=8192
 * env: MEMS_START_VA=70000
 */
#include "check.h"

void mems_init(void);
void mems_finish(void);
void *mems_malloc(size_t size);
void mems_free(void *ptr);
void mems_print_stats(void);
void *mems_get(void *v_ptr);

int main(void) {
    /* Before mems_init, and with it. */
    CHECK(mems_malloc(1) == (void *)70000);
    CHECK(mems_malloc(8192) == (void *)78192);
    mems_init();
    CHECK(mems_malloc(8190) == (void *)70000);
    CHECK(mems_malloc(3) == (void *)78192);
    CHECK(mems_get((void *)78194) != NULL);
    mems_print_stats();
    mems_free((void *)70000);
    mems_finish();
    return 0;
}
