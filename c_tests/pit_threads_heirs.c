/* what: blocks of threads that have ended are freed, resized and measured by later threads; their room is used again.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

#define N 2000
static unsigned char *block[N];

static void *makes(void *seed) {
    for (int i = 0; i < N; i++) {
        size_t size = (size_t)(i % 500) + 17;
        block[i] = get(size);
        memset(block[i], (int)(long)seed + i, size);
    }
    return NULL;
}

static void *takes(void *seed) {
    for (int i = N - 1; i >= 0; i--) {
        size_t size = (size_t)(i % 500) + 17;
        CHECK(malloc_usable_size(block[i]) >= size);
        if (i % 3 == 0) {
            block[i] = resize(block[i], size * 2);
        }
        CHECK(holds_only(block[i], ((int)(long)seed + i) & 255, size));
        free(block[i]);
    }
    return NULL;
}

int main(void) {
    for (long i = 0; i < 200; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, makes, (void *)i) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        CHECK(pthread_create(&t, NULL, takes, (void *)i) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    CHECK(status_kib("VmRSS") < 24 << 10);
    return 0;
}
