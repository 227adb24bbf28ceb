/* what: posix_spawn, system and popen from several threads at once, with load: every child's output and code arrives.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"
#include <spawn.h>

extern char **environ;

static void *thread(void *seed) {
    for (int i = 0; i < 15; i++) {
        char *argv[] = {(char *)"sh", (char *)"-c", (char *)"exit 3", NULL};
        pid_t child;
        CHECK(posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ) == 0);
        int status = wait_for(child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
        FILE *f = popen("echo a line", "r");
        CHECK(f);
        char line[100];
        CHECK(fgets(line, sizeof line, f) && strcmp(line, "a line\n") == 0);
        CHECK(pclose(f) == 0);
        exercise((unsigned long)seed + (unsigned long)i, 300);
    }
    return NULL;
}

int main(void) {
    pthread_t t[4];
    for (long i = 0; i < 4; i++) {
        CHECK(pthread_create(&t[i], NULL, thread, (void *)(i * 100)) == 0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    CHECK(WEXITSTATUS(system("exit 9")) == 9);
    return 0;
}
