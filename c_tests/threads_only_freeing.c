/* what: a thread that frees what another takes, and takes nothing itself, keeps 16 KiB a class at most.
 * flags: -pthread
 * plain: no
 */
#include "check.h"
#include <pthread.h>
#include <stdio.h>

enum { BLOCKS = 3200, ROUNDS = 20 };

static void *block[BLOCKS];
static pthread_barrier_t turn;

static long resident_kib(void) {
    char text[64] = {0};
    long size, resident = 0;
    int file = open("/proc/self/statm", O_RDONLY);
    CHECK(file >= 0 && read(file, text, sizeof text - 1) > 0);
    close(file);
    CHECK(sscanf(text, "%ld %ld", &size, &resident) == 2);
    return resident * 4;
}

/* 16 classes of 512 to 8,192 bytes. */
static size_t size_of(int i) { return ((size_t)(4 + i % 4) << (7 + i / 4 % 4)); }

static void *taker(void *unused) {
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            block[i] = malloc(size_of(i));
            CHECK(block[i] != NULL);
            memset(block[i], 1, size_of(i));
        }
        pthread_barrier_wait(&turn);
        pthread_barrier_wait(&turn);
    }
    return unused;
}

int main(void) {
    pthread_t thread;
    CHECK(pthread_barrier_init(&turn, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, taker, NULL) == 0);
    long first = 0;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&turn);
        if (round == 0) first = resident_kib();
        for (int i = 0; i < BLOCKS; i++) free(block[i]);
        if (round == ROUNDS - 1) {
            /* 16 classes with 16 KiB each, a packet of 62 on its way, and half-used slabs: 1.1 MiB. With full stacks, which a
             * thread has that takes blocks itself, it would be 1.8. */
            long more = resident_kib() - first;
            if (more > 1500) {
                check_number(more);
                CHECK(!"the freeing thread keeps more than it may");
            }
        }
        pthread_barrier_wait(&turn);
    }
    pthread_join(thread, NULL);
    return 0;
}
