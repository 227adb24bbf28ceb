/* what: php, which opens its extensions with RTLD_DEEPBIND, starts, runs and ends.
 * mode: preload
 * needs: php
 */
#include "pit.h"

int main(void) {
    FILE *f = popen("php -d display_errors=stderr -r 'echo json_encode(array_map(\"strrev\", explode(\" \", str_repeat(\"abc \", 3)))), \" \", md5(str_repeat(\"x\", 1<<20)), \"\\n\"; exit(3);'", "r");
    char line[300];
    CHECK(f && fgets(line, sizeof line, f));
    CHECK(strstr(line, "[\"cba\",\"cba\",\"cba\",\"\"] "));
    int status = pclose(f);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    return 0;
}
