/* Allocates in every way, between two write calls to descriptor -1 that a trace shows as marks. With an argument, so
 * many threads do it too, on stacks of 262144 bytes.
 */
#include "check.h"
#include <malloc.h>
#include <pthread.h>

static void *work(void *arg) {
    static __thread char *small[3000];
    for (size_t i = 0; i < 3000; i++) {
        small[i] = malloc(i);
        CHECK(small[i] != NULL);
    }
    for (size_t size = 5000; size < (40u << 20); size *= 2) {
        char *p = malloc(size);
        CHECK(p != NULL);
        memset(p, 1, size);
        p = realloc(p, size + size / 2);
        CHECK(p != NULL);
        p = realloc(p, size / 2);
        char *q = calloc(1, size);
        char *r = aligned_alloc(1 << 16, size);
        CHECK(p && q && r);
        free(q);
        free(p);
        free(r);
    }
    for (size_t i = 0; i < 3000; i++) {
        free(small[i]);
    }
    malloc_trim(0);
    return arg;
}

int main(int argc, char **argv) {
    write(-1, "start", 5);
    work(NULL);
    write(-1, "end", 3);
    long threads = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    pthread_attr_t attr;
    CHECK(pthread_attr_init(&attr) == 0);
    CHECK(pthread_attr_setstacksize(&attr, 262144) == 0);
    pthread_t t[64];
    for (long i = 0; i < threads; i++) {
        CHECK(pthread_create(&t[i], &attr, work, NULL) == 0);
    }
    for (long i = 0; i < threads; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    return 0;
}
