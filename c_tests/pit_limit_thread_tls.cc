/* what: a program with a megabyte of thread-local data of its own, in many threads.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static thread_local char data[1 << 20];
static thread_local void *kept;

static void *thread(void *seed) {
    data[(unsigned long)seed * 1000] = 1;
    kept = get(100);
    exercise((unsigned long)seed, 300);
    CHECK(data[(unsigned long)seed * 1000] == 1 && data[0] == (seed ? 0 : 1));
    free(kept);
    return nullptr;
}

int main() {
    pthread_t t[50];
    for (unsigned long i = 0; i < 50; i++) {
        CHECK(pthread_create(&t[i], nullptr, thread, (void *)i) == 0);
    }
    for (auto one : t) {
        CHECK(pthread_join(one, nullptr) == 0);
    }
    return 0;
}
