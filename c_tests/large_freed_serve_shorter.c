/* what: freed large blocks serve shorter requests: few are mapped, calloc's bytes are zero, other threads may free them.
 * mode: both
 */
#include "check.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void *give(void *block) {
    free(block);
    return NULL;
}

int main(void) {
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < 20000; i++) {
        size_t size = (size_t)33000 + (size_t)i * 7919 % 220000;
        unsigned char *p = malloc(size);
        CHECK(p);
        memset(p, 0xa5, size);
        free(p);
        unsigned char *q = calloc(1, size / 2);
        CHECK(q);
        for (size_t at = 0; at < size / 2; at += 511) {
            CHECK(q[at] == 0);
        }
        unsigned char *r = malloc(size);
        CHECK(r && (r + size <= q || q + size / 2 <= r));
        q[0] = 1;
        r[0] = 2;
        free(q);
        CHECK(r[0] == 2);
        r = realloc(r, size / 4);
        CHECK(r && r[0] == 2);
        if (i % 100 == 0) {
            pthread_t thread;
            CHECK(pthread_create(&thread, NULL, give, r) == 0);
            CHECK(pthread_join(thread, NULL) == 0);
        } else {
            free(r);
        }
    }
    getrusage(RUSAGE_SELF, &after);
    /* The C library maps each anew. */
    if (getenv("LIBMEMS") && getenv("LD_PRELOAD")) {
        CHECK(after.ru_maxrss < (16 << 10));
    }
    return 0;
}
