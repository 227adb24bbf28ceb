/* what: a recursion far deeper than what is kept of a stack, small thread stacks, coroutines and signal handlers on a stack of
 *       their own: unwinding ends, the record says what was cut, and no call is lost.
 * plain: no
 * flags: -pthread
 */
#include "record.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

static CALLER void *take(void) {
    void *p = malloc(48);
    CHECK(p != NULL);
    return p;
}

static CALLER int recurse(int depth) {
    volatile char room[100];
    room[0] = (char)depth;
    if (depth == 0) {
        take();
        return room[0];
    }
    return recurse(depth - 1) + room[0];
}

static ucontext_t outside, inside;

static CALLER void coroutine(void) {
    take();
    CHECK(swapcontext(&inside, &outside) == 0);
}

static CALLER void handler(int number) {
    (void)number;
    free(take());
}

static CALLER void *in_small_thread(void *unused) {
    take();
    return unused;
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        recurse(5);
        recurse(10000);
        // A stack that ends where nothing is mapped.
        char *room = mmap(NULL, 3 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(room != MAP_FAILED && mprotect(room + (1 << 16), 1 << 16, PROT_READ | PROT_WRITE) == 0);
        CHECK(getcontext(&inside) == 0);
        inside.uc_stack.ss_sp = room + (1 << 16);
        inside.uc_stack.ss_size = 1 << 16;
        inside.uc_link = NULL;
        makecontext(&inside, coroutine, 0);
        CHECK(swapcontext(&outside, &inside) == 0);
        stack_t other = {.ss_sp = room + (1 << 16), .ss_size = 1 << 15};
        CHECK(sigaltstack(&other, NULL) == 0);
        struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
        CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
        for (int i = 0; i < 10; i++) {
            CHECK(raise(SIGUSR1) == 0);
        }
        pthread_attr_t small;
        CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 16384) == 0);
        for (int i = 0; i < 10; i++) {
            pthread_t thread;
            CHECK(pthread_create(&thread, &small, in_small_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
        }
        return 0;
    }
    static struct record record;
    run_recorded(&record, "child", "stacks");
    check_totals(&record);
    CHECK(sum_at(&record, take, 0, CALLS) == 23);
    CHECK(sum_at(&record, recurse, 1, CALLS) == 2 && sum_at(&record, recurse, 6, CALLS) == 2);
    CHECK(sum_at(&record, recurse, 100, CALLS) == 1);
    CHECK(sum_at(&record, coroutine, 1, CALLS) == 1 && sum_at(&record, handler, 1, CALLS) == 10);
    CHECK(sum_at(&record, in_small_thread, 1, CALLS) == 10);
    CHECK(field(record.text, "\"mems-profile/1\"", "cut_stacks") >= 1);
    return 0;
}
