/* what: sixty processes that end together write to one pipe: every dump is whole, none is torn by another.
 * plain: no
 */
#include "run_self.h"

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        char byte;
        CHECK(read(0, &byte, 1) == 0); /* until the parent lets all go */
        return 0;
    }
    enum { N = 60 };
    static struct seen seen;
    int ends[2], gate[2];
    pid_t child[N];
    CHECK(pipe2(ends, O_CLOEXEC) == 0 && pipe2(gate, O_CLOEXEC) == 0 && dup2(gate[0], 0) == 0);
    for (int i = 0; i < N; i++) {
        child[i] = start_self("child", NULL, ends[1]);
    }
    close(ends[1]);
    close(gate[1]);
    read_all(&seen, ends[0]);
    for (int i = 0; i < N; i++) {
        int status;
        CHECK(waitpid(child[i], &status, 0) == child[i] && status == 0);
    }
    int whole = 0;
    for (char *dump = seen.text; *dump; whole++) {
        CHECK(strncmp(dump, "== mems ", 8) == 0);
        char *end = strstr(dump, "\n====");
        char *next = strstr(dump + 1, "== mems ");
        CHECK(end && (!next || end < next));
        dump = strchr(end + 1, '\n') + 1;
    }
    CHECK(whole == N);
    return 0;
}
