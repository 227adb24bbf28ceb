/* what: exec replaces the process: the new program has its arguments, its environment and the same preload.
 * stdout: ^two words 3$
 * mode: both
 */
#include "check.h"
#include <stdio.h>

int main(int argc, char **argv) {
    if (argc == 3) {
        CHECK(strcmp(argv[0], "renamed") == 0);
        CHECK(getenv("HOLDS") && strcmp(getenv("HOLDS"), "3") == 0);
        char *text = malloc(100);
        CHECK(text != NULL);
        snprintf(text, 100, "%s %s %s", argv[1], argv[2], getenv("HOLDS"));
        puts(text);
        return 0;
    }
    (void)argc;
    CHECK(malloc(1000) != NULL);
    CHECK(setenv("HOLDS", "3", 1) == 0);
    execl("/proc/self/exe", "renamed", "two", "words", (char *)NULL);
    CHECK(!"exec returned");
}
