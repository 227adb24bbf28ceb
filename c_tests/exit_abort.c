/* what: abort ends the process by SIGABRT.
 * exit: SIGABRT
 * mode: both
 */
#include "check.h"

int main(void) {
    CHECK(malloc(10) != NULL);
    abort();
}
