/* what: quick_exit runs the at_quick_exit handlers, which may allocate, and leaves its code and the dump.
 * exit: 13
 * stderr: ^quick handler$
 * plain: yes
 * mode: both
 */
#include "check.h"

static void handler(void) {
    char *p = malloc(100);
    CHECK(p != NULL);
    free(p);
    check_put("quick handler\n");
}

static void never(void) { abort(); }

int main(void) {
    CHECK(at_quick_exit(handler) == 0);
    CHECK(atexit(never) == 0);
    CHECK(malloc(10) != NULL);
    quick_exit(13);
}
