/* what: the summary is one block of at most 25 lines of at most 79 columns in one write, and nothing goes to stdout.
 * plain: no
 */
#include "run_self.h"

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        void *kept[40];
        for (int i = 0; i < 40; i++) {
            kept[i] = malloc((size_t)1 << (i % 24));
            CHECK(kept[i]);
        }
        return 0;
    }
    static struct seen seen;
    int out[2];
    CHECK(pipe(out) == 0 && dup2(out[1], 1) == 1 && close(out[1]) == 0);
    run_self(&seen, "child", NULL);
    CHECK(ended_with(&seen, 0));
    CHECK(seen.length <= 4096);
    CHECK(strncmp(seen.text, "== mems ", 8) == 0 && seen.text[seen.length - 1] == '\n');
    int lines = 0;
    for (char *line = seen.text; *line; lines++) {
        char *end = strchr(line, '\n');
        CHECK(end && end - line <= 79);
        line = end + 1;
    }
    CHECK(lines >= 12 && lines <= 25);
    CHECK(times(seen.text, "== mems ") == 1);
    close(1);
    char byte;
    CHECK(read(out[0], &byte, 1) == 0);
    return 0;
}
