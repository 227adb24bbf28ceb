/* what: a program that handles its faults itself goes on doing so.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * stdout: ^handled$
 */
#include "pit.h"

#include <setjmp.h>

static sigjmp_buf back;

static void on_fault(int number) {
    siglongjmp(back, number);
}

int main(void) {
    free(get(1));
    char *p = get(100);
    free(p);
    CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
    if (sigsetjmp(back, 1) == 0) {
        return ((volatile char *)opaque(p))[8];
    }
    puts("handled");
    free(get(100));
    return 0;
}
