/* what: vfork with exec or _exit in the child leaves the parent's heap as it was.
 * mode: both
 */
#include "check.h"
#include <sys/wait.h>

int main(void) {
    char *p = malloc(500);
    CHECK(p != NULL);
    memset(p, 2, 500);
    for (int round = 0; round < 100; round++) {
        pid_t pid = vfork();
        CHECK(pid >= 0);
        if (pid == 0) {
            if (round % 2) {
                execl("/bin/sh", "sh", "-c", "exit 4", (char *)NULL);
            }
            _exit(round % 2 ? 1 : 4);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 4);
        CHECK(holds_only(p, 2, 500));
        free(malloc((size_t)round * 100));
    }
    free(p);
    return 0;
}
