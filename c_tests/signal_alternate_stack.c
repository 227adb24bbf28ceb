/* what: malloc works on a small alternate signal stack that is itself a block of malloc.
 * mode: both
 */
#include "check.h"
#include <signal.h>

static volatile int done;

static void handler(int signal) {
    (void)signal;
    char *p = malloc(200000);
    CHECK(p != NULL);
    p[0] = 1;
    free(p);
    p = malloc(20);
    CHECK(p != NULL);
    free(p);
    done++;
}

int main(void) {
    size_t size = (size_t)sysconf(_SC_MINSIGSTKSZ) + 8192;
    stack_t stack = {.ss_sp = malloc(size), .ss_size = size};
    CHECK(stack.ss_sp != NULL);
    CHECK(sigaltstack(&stack, NULL) == 0);
    struct sigaction action = {0};
    action.sa_handler = handler;
    action.sa_flags = SA_ONSTACK;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    for (int i = 0; i < 100; i++) {
        CHECK(raise(SIGUSR1) == 0);
    }
    CHECK(done == 100);
    return 0;
}
