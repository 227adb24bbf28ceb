/* what: MEMS_STATS_FILE takes %p, %n and %%, is relative to the directory at the start, and is written also when the
 *       program has changed its directory and closed every descriptor.
 * plain: no
 */
#include "run_self.h"
#include <sys/stat.h>

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        CHECK(mkdir("deeper", 0700) == 0 && chdir("deeper") == 0);
        closefrom(0);
        return 0;
    }
    static struct seen seen;
    run_self(&seen, "child", "MEMS_STATS_FILE=a%%b-%n-%p");
    CHECK(ended_with(&seen, 0) && seen.length == 0);
    char name[100];
    snprintf(name, sizeof name, "a%%b-self-%d", (int)seen.pid);
    int file = open(name, O_RDONLY);
    CHECK(file >= 0);
    read_all(&seen, file);
    CHECK(times(seen.text, "== mems ") == 1);
    return 0;
}
