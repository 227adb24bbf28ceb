/* what: siglongjmp out of a handler that was raised beside heap calls, from a signal stack, ten thousand times.
 * mode: preload
 */
#include "pit.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handler(int signal) {
    free(get((size_t)signal * 10));
    siglongjmp(back, 1);
}

int main(void) {
    void *volatile keep = get(10);
    signal(SIGUSR1, handler);
    for (volatile int i = 0; i < 10000; i++) {
        if (sigsetjmp(back, 1) == 0) {
            keep = resize(keep, (size_t)i % 2000 + 1);
            raise(SIGUSR1);
            CHECK(0);
        }
        exercise((unsigned long)i, 2);
    }
    free(keep);
    return 0;
}
