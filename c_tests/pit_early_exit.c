/* what: a library's constructor that runs before ours exits, execs, vforks, closes all standard descriptors or clears the environment.
 * mode: preload
 * links: pit_early_exit
 */
#include "pit.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        exercise(1, 500);
        return 7;
    }
    const char *ways[] = {"exit", "_exit", "quick_exit", "exec", "exec fails", "vfork", "close", "clear"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            setenv("PIT_EARLY", ways[i], 1);
            execl(own_path(), argv[0], "child", (char *)NULL);
            _exit(5);
        }
        int status = wait_for(child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
    return 0;
}
