/* what: .preinit_array, which runs before every constructor, may allocate.
 * mode: preload
 */
#include "pit.h"

static char *kept;

static void preinit(void) {
    kept = get(1000);
    CHECK(kept);
    strcpy(kept, "from preinit");
    exercise(9, 2000);
}

__attribute__((section(".preinit_array"), used)) static void (*entry)(void) = preinit;

int main(void) {
    CHECK(strcmp(kept, "from preinit") == 0);
    kept = resize(kept, 100000);
    CHECK(strcmp(kept, "from preinit") == 0);
    free(kept);
    return 0;
}
