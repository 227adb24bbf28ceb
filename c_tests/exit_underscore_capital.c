/* what: _Exit ends the process at once, with its code, and the dump appears all the same.
 * exit: 12
 */
#include "check.h"

int main(void) {
    CHECK(malloc(10) != NULL);
    _Exit(12);
}
