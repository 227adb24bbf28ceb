/* what: a process that returns from main leaves its code and one dump.
 * exit: 7
 * mode: both
 */
#include "check.h"

int main(void) {
    char *p = malloc(1000);
    CHECK(p != NULL);
    memset(p, 1, 1000);
    return 7;
}
