/* what: the session of the seed with start address 0 and pages of 4096 bytes, both set by macro.
 * mode: both
 * flags: -DMEMS_START_VA=0 -DPAGE_SIZE=4096 -Wl,--unresolved-symbols=ignore-all
 */
#include "mems_session.h"

int main(void) {
    session();
    return 0;
}
