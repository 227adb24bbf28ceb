/* what: an IFUNC resolver of the program, which runs while the dynamic linker still relocates, may allocate.
 * mode: preload
 * flags: -Wl,-z,now
 */
#include "pit.h"

static void *kept[4];

static int forty_two(void) {
    return 42;
}

/* The compiler's own instrumentation would not be ready here, nor would CHECK's message. */
static int (*resolve_answer(void))(void) {
    kept[0] = malloc(unknown(100));
    kept[1] = calloc(unknown(10), 10);
    kept[2] = realloc(malloc(unknown(10)), unknown(5000));
    kept[3] = malloc(unknown(100));
    free(kept[3]);
    return forty_two;
}

int answer(void) __attribute__((ifunc("resolve_answer")));

int main(void) {
    CHECK(answer() == 42);
    CHECK(kept[0] && kept[1] && kept[2] && holds_only(kept[1], 0, 100));
    memset(kept[0], 1, 100);
    memset(kept[2], 2, 5000);
    free(kept[0]);
    free(kept[1]);
    free(resize(kept[2], 10));
    exercise(1, 1000);
    return 0;
}
