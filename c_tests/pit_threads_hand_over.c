/* what: a producer's blocks freed by a consumer, for long: memory stays bounded and every block keeps its bytes.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"
#include <semaphore.h>

#define ROOM 1000
static void *ring[ROOM];
static sem_t full, empty;

static void *consumer(void *none) {
    for (int i = 0; i < 600000; i++) {
        sem_wait(&full);
        unsigned *p = ring[i % ROOM];
        CHECK(p[0] == (unsigned)i && p[3] == ~(unsigned)i);
        if (i % 7 == 0) {
            p = resize(p, 600);
            CHECK(p[0] == (unsigned)i && p[3] == ~(unsigned)i);
        }
        free(p);
        sem_post(&empty);
    }
    return none;
}

int main(void) {
    pthread_t t;
    CHECK(sem_init(&full, 0, 0) == 0 && sem_init(&empty, 0, ROOM) == 0);
    CHECK(pthread_create(&t, NULL, consumer, NULL) == 0);
    for (int i = 0; i < 600000; i++) {
        unsigned *p = get(16 + (size_t)(i * 37 % 400));
        CHECK(p);
        p[0] = (unsigned)i;
        p[3] = ~(unsigned)i;
        sem_wait(&empty);
        ring[i % ROOM] = p;
        sem_post(&full);
    }
    CHECK(pthread_join(t, NULL) == 0);
    CHECK(status_kib("VmRSS") < 24 << 10);
    return 0;
}
