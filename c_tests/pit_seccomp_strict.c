/* what: in strict seccomp mode (read, write, exit) blocks of sizes in use are given and freed without any system call.
 * mode: preload
 * dump: no
 */
#include "seccomp.h"

int main(void) {
    void *warm[100];
    for (int i = 0; i < 100; i++) {
        warm[i] = get((size_t)(i % 10) * 20 + 10);
    }
    for (int i = 0; i < 100; i++) {
        free(warm[i]);
    }
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < 50; i++) {
            warm[i] = get((size_t)(i % 10) * 20 + 10);
        }
        for (int i = 0; i < 50; i++) {
            free(warm[i]);
        }
    }
    syscall(SYS_exit, 0);
}
