/* what: forty processes append to one MEMS_STATS_FILE at once: one JSON line each, whole, and nothing on stderr.
 * plain: no
 */
#include "run_self.h"

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        free(malloc(unknown(10)));
        return 0;
    }
    enum { N = 40 };
    static struct seen seen;
    pid_t child[N];
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    setenv("MEMS_STATS_FORMAT", "json", 1);
    for (int i = 0; i < N; i++) {
        child[i] = start_self("child", "MEMS_STATS_FILE=all.json", ends[1]);
    }
    close(ends[1]);
    read_all(&seen, ends[0]);
    CHECK(seen.length == 0);
    for (int i = 0; i < N; i++) {
        int status;
        CHECK(waitpid(child[i], &status, 0) == child[i] && status == 0);
    }
    int file = open("all.json", O_RDONLY);
    CHECK(file >= 0);
    read_all(&seen, file);
    int lines = 0;
    for (char *line = seen.text; *line; lines++) {
        char *end = strchr(line, '\n');
        CHECK(end && strncmp(line, "{\"schema\"", 9) == 0 && end[-1] == '}');
        *end = 0;
        CHECK(times(line, "\"schema\"") == 1);
        line = end + 1;
    }
    CHECK(lines == N);
    return 0;
}
