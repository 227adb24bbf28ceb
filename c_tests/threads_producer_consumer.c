/* what: producers and consumers that run side by side, only ever freeing each other's blocks, stay in bounds.
 * flags: -pthread
 * seconds: 90
 */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define SLOTS 4096
#define BLOCKS 1500000
static _Atomic(unsigned char *) ring[2][SLOTS];

static void *producer(void *arg) {
    _Atomic(unsigned char *) *slots = ring[(size_t)arg];
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = 8 + (i * 7919) % 500;
        unsigned char *p = malloc(size);
        CHECK(p != NULL);
        p[0] = p[7] = (unsigned char)i;
        while (atomic_load_explicit(&slots[i % SLOTS], memory_order_acquire)) {
            sched_yield();
        }
        atomic_store_explicit(&slots[i % SLOTS], p, memory_order_release);
    }
    return NULL;
}

static void *consumer(void *arg) {
    _Atomic(unsigned char *) *slots = ring[(size_t)arg];
    for (size_t i = 0; i < BLOCKS; i++) {
        unsigned char *p;
        while (!(p = atomic_load_explicit(&slots[i % SLOTS], memory_order_acquire))) {
            sched_yield();
        }
        atomic_store_explicit(&slots[i % SLOTS], NULL, memory_order_release);
        CHECK(p[0] == (unsigned char)i && p[7] == (unsigned char)i);
        free(p);
    }
    return NULL;
}

int main(void) {
    pthread_t t[4];
    for (size_t i = 0; i < 2; i++) {
        CHECK(pthread_create(&t[i], NULL, producer, (void *)i) == 0);
        CHECK(pthread_create(&t[i + 2], NULL, consumer, (void *)i) == 0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    CHECK(status_kib("VmHWM") < 64 << 10);
    return 0;
}
