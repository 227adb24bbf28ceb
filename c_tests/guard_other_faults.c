/* what: a fault elsewhere is not reported and ends the process as it would have; so does a signal that was sent.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * exit: SIGSEGV
 * stdout: ^sent$
 * stderr-not: ^mems: 
 */
#include "pit.h"

int main(void) {
    free(get(1));
    pid_t child = fork();
    if (child == 0) {
        raise(SIGSEGV);
        _exit(0);
    }
    int status = wait_for(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    puts("sent");
    fflush(stdout);
    return *(volatile char *)opaque((void *)16);
}
