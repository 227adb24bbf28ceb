/* what: signal handlers that came in anywhere, inside malloc too, fork and allocate, while threads come and go and another
 *       one forks: nobody waits for ever, and every child uses the heap and ends.
 * mode: preload
 * plain: no
 * flags: -pthread
 */
#include "storm.h"

int main(void) {
    storm(1.5, 8);
    return 0;
}
