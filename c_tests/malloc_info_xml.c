/* what: malloc_info writes one XML element `malloc` to the stream it is given, and refuses options other than 0.
 * stdout: ^<malloc version="
 * stdout: ^</malloc>$
 */
#include "check.h"
#include <malloc.h>
#include <stdio.h>

int main(void) {
    CHECK(malloc_info(1, stdout) == EINVAL);
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    CHECK(memory != NULL);
    CHECK(malloc_info(0, memory) == 0);
    CHECK(fclose(memory) == 0);
    CHECK(length > 20);
    CHECK(strncmp(text, "<malloc version=\"", 17) == 0);
    CHECK(strstr(text, "<system type=\"current\" size=\"") != NULL);
    /* Every element that is opened is closed. */
    int depth = 0;
    for (char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
        char *end = strchr(at, '>');
        CHECK(end != NULL);
        if (at[1] == '/') {
            depth--;
        } else if (end[-1] != '/') {
            depth++;
        }
        CHECK(depth >= 0);
    }
    CHECK(depth == 0);
    free(text);
    CHECK(malloc_info(0, stdout) == 0);
    return 0;
}
