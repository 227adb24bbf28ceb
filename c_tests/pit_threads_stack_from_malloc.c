/* what: threads run on stacks that come from the heap, and the stacks are freed when they have ended.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static void *thread(void *seed) {
    exercise((unsigned long)seed, 500);
    return get(30);
}

int main(void) {
    for (unsigned long i = 0; i < 200; i++) {
        pthread_t t[4];
        void *stack[4];
        size_t size = (size_t)(64 << 10) << i % 4;
        for (int k = 0; k < 4; k++) {
            pthread_attr_t attr;
            stack[k] = opaque(memalign(k % 2 ? 16 : 4096, size));
            CHECK(stack[k]);
            CHECK(pthread_attr_init(&attr) == 0);
            CHECK(pthread_attr_setstack(&attr, stack[k], size) == 0);
            CHECK(pthread_create(&t[k], &attr, thread, (void *)(i * 4 + (unsigned long)k)) == 0);
            pthread_attr_destroy(&attr);
        }
        for (int k = 0; k < 4; k++) {
            void *p;
            CHECK(pthread_join(t[k], &p) == 0);
            free(p);
            memset(stack[k], 0xee, size);
            free(stack[k]);
        }
    }
    return 0;
}
