/* what: the program ends while another thread holds the locks of stdout and stderr for ever.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static void *holds(void *ready) {
    flockfile(stderr);
    flockfile(stdout);
    CHECK(write(*(int *)ready, "x", 1) == 1);
    pause();
    return NULL;
}

int main(void) {
    int ready[2];
    char x;
    pthread_t t;
    CHECK(pipe(ready) == 0);
    CHECK(pthread_create(&t, NULL, holds, &ready[1]) == 0);
    CHECK(read(ready[0], &x, 1) == 1);
    exercise(1, 1000);
    alarm(10);
    return 0;
}
