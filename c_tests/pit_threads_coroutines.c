/* what: coroutines on stacks from the heap allocate and free each other's blocks, switching at every step.
 * mode: preload
 */
#include "pit.h"
#include <ucontext.h>

#define N 50
static ucontext_t back, one[N];
static void *shared[64];

static void run(int seed) {
    unsigned long state = (unsigned long)seed + 1;
    for (int i = 0; i < 200; i++) {
        unsigned k = next_random(&state) % 64;
        shared[k] = resize(shared[k], next_random(&state) % 5000 + 1);
        CHECK(shared[k]);
        swapcontext(&one[seed], &back);
    }
}

int main(void) {
    void *stack[N];
    for (int i = 0; i < N; i++) {
        stack[i] = get(32 << 10);
        getcontext(&one[i]);
        one[i].uc_stack.ss_sp = stack[i];
        one[i].uc_stack.ss_size = 32 << 10;
        one[i].uc_link = &back;
        makecontext(&one[i], (void (*)(void))run, 1, i);
    }
    for (int round = 0; round < 201; round++) {
        for (int i = 0; i < N; i++) {
            swapcontext(&back, &one[i]);
        }
    }
    for (int i = 0; i < N; i++) {
        free(stack[i]);
    }
    for (int i = 0; i < 64; i++) {
        free(shared[i]);
    }
    return 0;
}
