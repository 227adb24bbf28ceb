/* what: a process that a signal kills dies by that signal.
 * exit: SIGTERM
 */
#include "check.h"
#include <signal.h>

int main(void) {
    CHECK(malloc(10) != NULL);
    raise(SIGTERM);
    return 0;
}
