/* what: the session of the seed with start address 1000 and pages of 8192 bytes, both set by macro.
 * mode: both
 * flags: -DMEMS_START_VA=1000 -DPAGE_SIZE=8192 -Wl,--unresolved-symbols=ignore-all
 */
#include "mems_session.h"

int main(void) {
    session();
    return 0;
}
