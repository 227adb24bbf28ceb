/* what: hardened, memory is asked for and given back by mmap and munmap alone: a sandbox that kills for mprotect, madvise, mremap and brk lets it work.
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 */
#include "seccomp.h"

int main(void) {
    static const int listed[] = {SYS_mprotect, SYS_madvise, SYS_mremap, SYS_brk, -1};
    filter_calls(listed, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
    exercise(1, 20000);
    for (int i = 0; i < 200; i++) {
        free(get((size_t)i * 5000));
    }
    void *p[2000];
    for (int i = 0; i < 2000; i++) {
        p[i] = get(1500);
    }
    for (int i = 0; i < 2000; i++) {
        free(p[i]);
    }
    malloc_trim(0);
    exercise(2, 20000);
    return 0;
}
