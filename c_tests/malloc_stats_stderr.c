/* what: malloc_stats says on stderr, at once, how many bytes are mapped and in use, and nothing on stdout.
 * plain: yes
 * stderr: ^system bytes +=
 * stderr: ^in use bytes +=
 */
#include "check.h"
#include <malloc.h>
#include <stdio.h>

int main(void) {
    char *p = malloc(123456);
    CHECK(p != NULL);
    p[0] = 1;
    malloc_stats();
    CHECK(ftell(stdout) <= 0);
    free(p);
    return 0;
}
