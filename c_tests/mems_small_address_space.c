/* what: under RLIMIT_AS of 5 MiB, set at the start, 10,000 mems_malloc(40) work, and each is written to.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"
#include <sys/resource.h>

static char *p[10000];

int main(void) {
    struct rlimit limit = {5 << 20, 5 << 20};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    mems_init();
    for (int i = 0; i < 10000; i++) {
        p[i] = mems_malloc(40);
        CHECK(p[i] != NULL || i == -1);
        memset(mems_get(p[i]), i, 40);
    }
    for (int i = 0; i < 10000; i++) {
        CHECK(holds_only(mems_get(p[i]), i, 40));
        mems_free(p[i]);
    }
    mems_finish();
    return 0;
}
