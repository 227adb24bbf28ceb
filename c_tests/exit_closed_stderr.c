/* what: a program that closes stdin, stdout and stderr before it ends keeps its exit code, and the dump still
 *       reaches the stderr that it started with.
 * exit: 5
 * mode: both
 */
#include "check.h"

int main(void) {
    CHECK(malloc(100) != NULL);
    CHECK(close(0) == 0 && close(1) == 0 && close(2) == 0);
    return 5;
}
