/* what: forty processes with JSON of more than a pipe takes in one piece end together: no line is torn by another.
 * plain: no
 */
#include "run_self.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        char byte;
        CHECK(read(0, &byte, 1) == 0); /* until the parent lets all go */
        return 0;
    }
    (void)argv;
    enum { N = 40 };
    static struct seen seen;
    static char long_argument[3000];
    int ends[2], gate[2];
    pid_t child[N];
    memset(long_argument, 'x', sizeof long_argument - 1);
    CHECK(pipe2(ends, O_CLOEXEC) == 0 && pipe2(gate, O_CLOEXEC) == 0 && dup2(gate[0], 0) == 0);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) >= 1 << 18);
    for (int i = 0; i < N; i++) {
        child[i] = start_self(long_argument, "MEMS_STATS_FORMAT=json", ends[1]);
    }
    close(ends[1]);
    close(gate[1]);
    read_all(&seen, ends[0]);
    for (int i = 0; i < N; i++) {
        int status;
        CHECK(waitpid(child[i], &status, 0) == child[i] && status == 0);
    }
    int lines = 0;
    for (char *line = seen.text; *line; lines++) {
        char *end = strchr(line, '\n');
        CHECK(end && end - line > 4096 && strncmp(line, "{\"schema\"", 9) == 0 && end[-1] == '}');
        *end = 0;
        CHECK(times(line, "\"schema\"") == 1 && times(line, long_argument) == 1);
        line = end + 1;
    }
    CHECK(lines == N);
    return 0;
}
