/* what: another library's destructor, after ours, frees, resizes and allocates.
 * mode: preload
 * links: pit_late
 */
#include "pit.h"

void late_give(void *p);

int main(void) {
    for (int i = 0; i < 4000; i++) {
        void *p = get((size_t)i * 3);
        CHECK(p);
        late_give(p);
    }
    late_give(get(10 << 20));
    return 0;
}
