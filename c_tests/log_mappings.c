/* what: MEMS_LOG=trace speaks of every mapping, and a refused one is spoken of at warn; the log keeps errno.
 * env: MEMS_LOG=trace
 * env: MEMS_STATS=off
 * stderr: ^\[mems [0-9]+ TRACE mems::os\] mapped [0-9]+ bytes at 0x[0-9a-f]+$
 * stderr: ^\[mems [0-9]+ WARN mems::os\] the kernel refuses [0-9]+ bytes$
 */
#include "check.h"

int main(void) {
    char *p = malloc(unknown(10 << 20));
    CHECK(p);
    *p = 1;
    errno = 77;
    free(p);
    CHECK_ERRNO(77);
    CHECK(malloc(unknown((size_t)PTRDIFF_MAX - 4096)) == NULL);
    CHECK_ERRNO(ENOMEM);
    return 0;
}
