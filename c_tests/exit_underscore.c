/* what: _exit ends the process at once, with its code, without handlers, and the dump appears all the same.
 * exit: 11
 * mode: both
 */
#include "check.h"
#include <stdio.h>

static void never(void) { check_put("a handler ran\n"); abort(); }

int main(void) {
    CHECK(atexit(never) == 0);
    CHECK(malloc(10) != NULL);
    printf("this text stays in the buffer");
    _exit(11);
}
