/* what: mems_print_stats keeps its place among the lines of printf when stdout is a file or a pipe.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "mems.h"
#include <stdio.h>

int main(void) {
    printf("before\n");
    mems_init();
    mems_malloc(10);
    printf("one, ");
    mems_print_stats();
    printf("between, ");
    mems_print_stats();
    printf("after\n");
    return 0;
}
