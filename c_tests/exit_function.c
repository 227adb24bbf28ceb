/* what: exit() from deep inside runs the handlers, which may allocate and free, and leaves its code and the dump.
 * exit: 9
 * stdout: ^handler 64 z$
 * mode: both
 */
#include "check.h"
#include <stdio.h>

static char *kept;

static void handler(void) {
    char *text = malloc(64);
    CHECK(text != NULL);
    snprintf(text, 64, "handler %d %c", 64, kept[500]);
    puts(text);
    free(text);
    free(kept);
}

static void deep(int n) {
    char *p = malloc((size_t)n + 1);
    CHECK(p != NULL);
    if (n == 0) {
        exit(9);
    }
    deep(n - 1);
    free(p);
}

int main(void) {
    CHECK(atexit(handler) == 0);
    kept = malloc(1000);
    memset(kept, 'z', 1000);
    deep(100);
    return 0;
}
