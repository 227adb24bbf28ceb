/* what: children of children of children, each with its parent's heap, work and keep what they inherited.
 * mode: both
 */
#include "check.h"
#include <sys/wait.h>

int main(void) {
    char *inherited[30];
    for (int depth = 0; depth < 30; depth++) {
        inherited[depth] = malloc((size_t)depth * 100 + 100);
        CHECK(inherited[depth] != NULL);
        memset(inherited[depth], depth, (size_t)depth * 100 + 100);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid > 0) {
            int status;
            CHECK(waitpid(pid, &status, 0) == pid);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
        }
        for (int i = 0; i <= depth; i++) {
            CHECK(holds_only(inherited[i], i, (size_t)i * 100 + 100));
        }
    }
    for (int i = 0; i < 30; i++) {
        free(inherited[i]);
    }
    return 0;
}
