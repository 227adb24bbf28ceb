/* what: with MEMS_GUARD=sample:100 about one block of 100 is guarded, of malloc and of calloc, in each thread, from the first
 *       block of a process on, and goes on to be: such a block stands elsewhere than the one before it.
 * mode: preload
 * plain: no
 * flags: -pthread
 * env: MEMS_GUARD=sample:100
 */
#include "check.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { BLOCKS = 100000 };

static void *with_malloc(void) { return malloc(100); }
static void *with_calloc(void) { return calloc(1, 250); }

static int guarded(void *(*take)(void)) {
    int count = 0;
    /* Where they stand as a rule: a guarded one never stands where the last one stood. */
    uintptr_t usual = 0, before = 1;
    while (usual != before) {
        before = usual;
        void *block = take();
        usual = (uintptr_t)block;
        free(block);
    }
    for (int i = 0; i < BLOCKS; i++) {
        void *block = take();
        CHECK(block);
        count += (uintptr_t)block != usual;
        free(block);
    }
    return count;
}

static void *look(void *unused) {
    /* 1,000 of malloc's on the average, with a deviation of 18; calloc's are counted by bytes, 256 for a block. */
    int of_malloc = guarded(with_malloc), of_calloc = guarded(with_calloc);
    CHECK(of_malloc > 800 && of_malloc < 1200);
    CHECK(of_calloc > 600 && of_calloc < 1500);
    return unused;
}

int main(void) {
    look(NULL);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, look, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}
