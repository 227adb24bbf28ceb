/* what: no call that succeeds touches errno: every function, every size, thread start and end included.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static void all_calls(size_t n) {
    void *p;
    errno = 4321;
    p = get(n);
    CHECK(p);
    p = resize(p, n * 2 + 1);
    CHECK(p);
    p = resize(p, n / 2 + 1);
    CHECK(p);
    free(p);
    p = get_zeroed(n, 2);
    CHECK(p);
    p = opaque(reallocarray(p, n, 3));
    CHECK(p);
    CHECK(malloc_usable_size(p) >= n * 3);
    free(p);
    p = opaque(memalign(256, n));
    CHECK(p);
    free(p);
    p = opaque(aligned_alloc(64, 64));
    CHECK(p);
    free(p);
    CHECK(posix_memalign(&p, 4096, n) == 0);
    free(p);
    p = opaque(valloc(n));
    free(p);
    p = opaque(pvalloc(n));
    free(p);
    free(NULL);
    CHECK_ERRNO(4321);
}

static void *thread(void *none) {
    for (size_t n = 1; n < (size_t)64 << 20; n *= 5) {
        all_calls(n);
    }
    return none;
}

int main(void) {
    thread(NULL);
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    return 0;
}
