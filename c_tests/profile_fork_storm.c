/* what: with call stacks recorded, of which new ones come all the time, in signal handlers too, and forks from a thread: a fork,
 *       a handler and the code that it interrupted never stand in a circle, each waiting for a lock that the next one has.
 * mode: preload
 * plain: no
 * flags: -pthread -fno-optimize-sibling-calls
 * env: MEMS_PROFILE=stacks
 */
#include "storm.h"

int main(void) {
    storm(2.5, 0);
    return 0;
}
