/* what: MEMS_HARDEN=0 and an empty value leave hardened mode off; what is no legal value is said, and leaves it off.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=yes
 * stderr: ^mems: MEMS_HARDEN=yes is not legal, the default is used; legal: 1, on, 0 or off$
 */
#include "pit.h"

int main(void) {
    /* A hardened block has no byte more than was asked. */
    CHECK(malloc_usable_size(get(24)) > 24);
    if (!getenv("MEMS_TEST_CHILD")) {
        setenv("MEMS_TEST_CHILD", "1", 1);
        static const char *const values[] = {"0", "off", ""};
        for (int i = 0; i < 3; i++) {
            pid_t child = fork();
            if (child == 0) {
                setenv("MEMS_HARDEN", values[i], 1);
                execl(own_path(), "child", (char *)NULL);
                _exit(5);
            }
            CHECK(ended_well(child));
        }
    }
    return 0;
}
