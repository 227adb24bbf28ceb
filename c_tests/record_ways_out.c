/* what: MEMS_RECORD names a directory that is made, or a file with %p; a record is written by _exit as by exit and before exec;
 *       a forked child that goes on to exec leaves none of its own; without MEMS_STATS nothing is on stderr.
 * plain: no
 */
#include "record.h"
#include <sys/stat.h>

static struct seen seen;

static void record_of(struct record *record, const char *pattern, pid_t pid) {
    char path[100];
    snprintf(path, sizeof path, pattern, (int)pid);
    read_record(record, path);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        CHECK(malloc(unknown(100)) != NULL);
        if (strcmp(argv[1], "_exit") == 0) {
            _exit(0);
        }
        if (strcmp(argv[1], "exec") == 0) {
            execl("/proc/self/exe", "self", "_exit", (char *)NULL);
        }
        if (strcmp(argv[1], "fork") == 0) {
            pid_t child = fork();
            if (child == 0) {
                execl("/proc/self/exe", "self", "_exit", (char *)NULL);
            }
            int status;
            CHECK(waitpid(child, &status, 0) == child && status == 0);
            char from[60];
            snprintf(from, sizeof from, "out/%d.mems", (int)child);
            CHECK(rename(from, "child.mems") == 0);
        }
        return 0;
    }
    static struct record record;
    CHECK(setenv("MEMS_STATS", "off", 1) == 0 && setenv("MEMS_RECORD", "out/", 1) == 0);
    run_self(&seen, "_exit", "MEMS_PROFILE=sites");
    CHECK(ended_with(&seen, 0) && seen.length == 0);
    record_of(&record, "out/%d.mems", seen.pid);
    CHECK(strstr(record.text, "{\"kind\":\"_exit\",\"code\":0}") != NULL);
    run_self(&seen, "exec", "MEMS_PROFILE=stacks");
    CHECK(ended_with(&seen, 0) && seen.length == 0);
    char path[100];
    snprintf(path, sizeof path, "out/%d.mems", (int)seen.pid);
    int file = open(path, O_RDONLY);
    static char both[1 << 18];
    CHECK(file >= 0 && read(file, both, sizeof both - 1) > 0);
    CHECK(times(both, "{\"schema\":\"mems/1\"") == 2 && times(both, "{\"schema\":\"mems-end/1\"") == 2);
    CHECK(times(both, "{\"kind\":\"exec\",\"code\":0}") == 1 && times(both, "{\"kind\":\"_exit\",\"code\":0}") == 1);
    run_self(&seen, "fork", "MEMS_PROFILE=sites");
    CHECK(ended_with(&seen, 0) && seen.length == 0);
    record_of(&record, "out/%d.mems", seen.pid);
    read_record(&record, "child.mems");
    CHECK(times(record.text, "{\"schema\":\"mems/1\"") == 1 && strstr(record.text, "{\"kind\":\"_exit\"") != NULL);
    CHECK(setenv("MEMS_RECORD", "name-%p", 1) == 0);
    run_self(&seen, "_exit", "MEMS_PROFILE=sites");
    CHECK(ended_with(&seen, 0) && seen.length == 0);
    record_of(&record, "name-%d", seen.pid);
    return 0;
}
