/* what: an exec that fails returns -1 with the kernel's errno, every form of it, and the program goes on.
 */
#include "check.h"

int main(void) {
    char *const args[] = {(char *)"nothing", NULL};
    char *p = malloc(1000);
    CHECK(p != NULL);
    memset(p, 4, 1000);
    errno = 0;
    CHECK(execv("/nonexistent/program", args) == -1);
    CHECK_ERRNO(ENOENT);
    errno = 0;
    CHECK(execve("/etc/passwd", args, environ) == -1);
    CHECK_ERRNO(EACCES);
    errno = 0;
    CHECK(execvp("no-such-program-anywhere", args) == -1);
    CHECK_ERRNO(ENOENT);
    errno = 0;
    CHECK(execl("/nonexistent/program", "nothing", (char *)NULL) == -1);
    CHECK_ERRNO(ENOENT);
    errno = 0;
    CHECK(execlp("no-such-program-anywhere", "nothing", (char *)NULL) == -1);
    CHECK_ERRNO(ENOENT);
    errno = 0;
    CHECK(execle("/nonexistent/program", "nothing", (char *)NULL, environ) == -1);
    CHECK_ERRNO(ENOENT);
    errno = 0;
    CHECK(execvpe("no-such-program-anywhere", args, environ) == -1);
    CHECK_ERRNO(ENOENT);
    errno = 0;
    CHECK(fexecve(-1, args, environ) == -1);
    CHECK(errno != 0);
    CHECK(holds_only(p, 4, 1000));
    p = realloc(p, 100000);
    CHECK(p && holds_only(p, 4, 1000));
    free(p);
    return 0;
}
