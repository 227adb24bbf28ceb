/* what: all of malloc_usable_size may be written, survives realloc, and belongs to one block alone.
 * mode: preload
 */
#include "pit.h"

#define N 3000

int main(void) {
    static unsigned char *block[N];
    CHECK(malloc_usable_size(NULL) == 0);
    errno = 1234;
    for (size_t i = 0; i < N; i++) {
        size_t size = i < 2500 ? i : i * 40;
        block[i] = get(size);
        CHECK(block[i] && malloc_usable_size(block[i]) >= size);
        memset(block[i], (int)i & 255, malloc_usable_size(block[i]));
    }
    for (size_t i = 0; i < N; i++) {
        CHECK(holds_only(block[i], (int)i & 255, malloc_usable_size(block[i])));
    }
    for (size_t i = 0; i < N; i += 3) {
        size_t usable = malloc_usable_size(block[i]);
        block[i] = resize(block[i], usable + 100);
        CHECK(block[i] && holds_only(block[i], (int)i & 255, usable));
    }
    for (size_t i = 0; i < N; i++) {
        free(block[i]);
    }
    CHECK_ERRNO(1234);
    return 0;
}
