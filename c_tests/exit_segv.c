/* what: a segmentation fault is the program's own, and ends it by SIGSEGV.
 * exit: SIGSEGV
 */
#include "check.h"

int main(void) {
    CHECK(malloc(10) != NULL);
    *(volatile int *)unknown(8) = 1;
    return 0;
}
