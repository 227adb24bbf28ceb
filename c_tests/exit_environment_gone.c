/* what: a program that clears or overwrites its environment ends as ever.
 * exit: 3
 * mode: both
 */
#include "check.h"

int main(void) {
    CHECK(malloc(100) != NULL);
    char *first = environ[0];
    CHECK(clearenv() == 0);
    memset(first, 0, strlen(first));
    environ = (char **)8;
    exit(3);
}
