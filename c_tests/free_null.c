/* what: free(NULL) does nothing and keeps errno.
 * mode: both
 */
#include "check.h"

int main(void) {
    errno = 77;
    free(NULL);
    CHECK_ERRNO(77);
    return 0;
}
