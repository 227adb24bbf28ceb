/* what: atexit and on_exit handlers, registered early and late, more than the static 32, allocate and free.
 * mode: preload
 * links: pit_late
 */
#include "pit.h"

void late_give(void *p);

static void *block[200];
static int next;

static void handler(void) {
    free(block[next]);
    block[next] = resize(get(10), 3000);
    CHECK(block[next]);
    late_give(block[next]);
    next++;
    if (next == 50) {
        CHECK(atexit(handler) == 0);
    }
}

static void last(int code, void *p) {
    CHECK(code == 0);
    free(p);
}

__attribute__((constructor)) static void first(void) {
    CHECK(atexit(handler) == 0);
}

int main(void) {
    CHECK(on_exit(last, get(100)) == 0);
    for (int i = 0; i < 100; i++) {
        block[i] = get((size_t)i * 100);
        CHECK(atexit(handler) == 0);
    }
    return 0;
}
