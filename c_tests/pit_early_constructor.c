/* what: a library's constructor that runs before ours allocates, starts a thread and forks; the program frees its blocks.
 * mode: preload
 * flags: -pthread
 * links: pit_early
 */
#include "pit.h"

int early_went_well(void);
void **early_blocks(int *count);

int main(void) {
    int n;
    void **block = early_blocks(&n);
    CHECK(early_went_well());
    for (int i = 0; i < n; i++) {
        CHECK(malloc_usable_size(block[i]) >= (i % 4 == 0 ? (size_t)i * i * 50 : (size_t)i));
        if (i % 2) {
            block[i] = resize(block[i], 5000);
        }
        free(block[i]);
    }
    exercise(1, 5000);
    return 0;
}
