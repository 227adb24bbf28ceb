/* what: allocation and free go on working after exit handlers, in destructors of libraries and at the very end.
 * links: late_free
 * mode: both
 */
#include "check.h"

extern void keep_for_later(void *);

__attribute__((destructor(101))) static void very_late(void) {
    char *p = malloc(3000);
    CHECK(p != NULL);
    memset(p, 1, 3000);
    p = realloc(p, 100000);
    CHECK(p != NULL);
    free(p);
}

int main(void) {
    for (size_t i = 0; i < 100; i++) {
        keep_for_later(malloc(i * 100));
    }
    return 0;
}
