/* what: a MEMS_STATS_FILE that cannot be opened is said in one line, and the dump goes to stderr.
 * env: MEMS_STATS_FILE=/nonexistent/file
 * dump: yes
 * stderr: ^mems: MEMS_STATS_FILE: cannot open /nonexistent/file \(error 2\), statistics go to stderr$
 */
#include "check.h"

int main(void) { return 0; }
