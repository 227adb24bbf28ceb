/* what: MEMS_PAGE_SIZE and MEMS_START_VA are the defaults of a program that calls the symbol mems_init itself.
 * mode: linked
 * env: MEMS_PAGE_SIZE=8192
 * env: MEMS_START_VA=0x7d0
 * stdout: ^MAIN\[2000:10191\]-> P\[2000:2999\] <-> H\[3000:10191\] <-> NULL$
 */
#include "check.h"

void mems_init(void);
void *mems_malloc(size_t size);
void mems_print_stats(void);
void mems_finish(void);

int main(void) {
    mems_init();
    CHECK(mems_malloc(1000) == (void *)2000);
    mems_print_stats();
    mems_finish();
    return 0;
}
