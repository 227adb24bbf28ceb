/* A library whose constructor, before ours has run, does what PIT_EARLY says: leaves, execs, vforks, closes. */
#include "../pit.h"

extern char **environ;

__attribute__((constructor)) static void early(void) {
    const char *what = getenv("PIT_EARLY");
    free(get(100));
    if (!what) {
        return;
    }
    if (strcmp(what, "exit") == 0) {
        exit(7);
    } else if (strcmp(what, "_exit") == 0) {
        _exit(7);
    } else if (strcmp(what, "quick_exit") == 0) {
        quick_exit(7);
    } else if (strcmp(what, "exec") == 0) {
        execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
    } else if (strcmp(what, "exec fails") == 0) {
        execl("/does/not/exist", "no", (char *)NULL);
    } else if (strcmp(what, "vfork") == 0) {
        pid_t child = vfork();
        if (child == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        }
        CHECK(ended_well(child));
    } else if (strcmp(what, "close") == 0) {
        close(0);
        close(1);
        close(2);
    } else if (strcmp(what, "clear") == 0) {
        clearenv();
    }
}
