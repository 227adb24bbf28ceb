/* what: MEMS_LOG=debug speaks of the load, on stderr, and the log's own memory is not the program's.
 * env: MEMS_LOG=debug
 * dump: yes
 * stderr: ^\[mems [0-9]+ DEBUG mems::start\] loaded
 * stderr:  asked +0 B in 0 blocks
 */
#include "check.h"

int main(void) { return 0; }
