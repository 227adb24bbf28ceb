/* what: MEMS_STATS=line leaves one line with the program, how it ended and the figures.
 * env: MEMS_STATS=line
 * exit: 3
 * stderr: ^mems: [0-9]+ dump_line_form: exit 3, [0-9.]+ [mu]?s; 1000 B in 1, live 1.0 KiB, peak 1.0 KiB$
 */
#include "check.h"

int main(void) {
    CHECK(malloc(unknown(1000)) != NULL);
    return 3;
}
