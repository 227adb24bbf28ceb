/* what: a bad MEMS_PAGE_SIZE: one line on stderr that names it and the legal ones, and the default.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * env: MEMS_PAGE_SIZE=5000
 * stderr: ^mems: .*5000.*1024.*1048576
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
    mems_malloc(1);
    CHECK(mems_malloc(4096) == (void *)5096);
    return 0;
}
