/* what: a page size that is no power of two from 1024 to 1048576: one line on stderr, and the default.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 * flags: -DPAGE_SIZE=3000
 * stderr: ^mems: page size 3000 is not a power of two from 1024 to 1048576; 4096 is used$
 * stderr: ^mems: page size 512 is not
 * stderr: ^mems: page size 2097152 is not
 * stderr: ^mems: page size 0 is not
 */
#include "check.h"
#include "mems.h"

int main(void) {
    size_t bad[] = {0, 512, 2097152, (size_t)-1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mems_init_with(bad[i], 1000);
        mems_malloc(1);
        CHECK(mems_malloc(4096) == (void *)5096);
    }
    mems_init();
    mems_malloc(1);
    mems_print_stats();
    return 0;
}
