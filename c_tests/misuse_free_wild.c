/* what: free of small integers and of addresses that no program can have.
 * exit: SIGABRT
 * stderr: ^mems: free of 0x[0-9a-f]+ \(not a block of malloc\), called from 0x[0-9a-f]+ \([^ ]+\+0x[0-9a-f]+\)$
 * plain: no
 */
#include "misuse.h"

int main(void) {
    static const uintptr_t wild[] = {0x10, 0x1230, 0x7fff00000010UL, 0xdeadbeefdeadbef0UL, (uintptr_t)-16};
    warm_up(48);
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        if (child == 0) {
            free(opaque((void *)wild[i]));
            take_stock(48, NULL);
            _exit(0);
        }
        int status = wait_for(child);
        if (WIFSIGNALED(status)) {
            signal(WTERMSIG(status), SIG_DFL);
            raise(WTERMSIG(status));
        }
    }
    verdict("HARMLESS");
}
