/* what: every call works on a stack of 16 KiB, the smallest there is, the thread's first call included.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"
#include <limits.h>

static void *thread(void *which) {
    void *p = NULL;
    switch ((long)which % 8) {
    case 0: p = get(10); break;
    case 1: p = get(300000); break;
    case 2: p = get(20 << 20); break;
    case 3: p = get_zeroed(1000, 1000); break;
    case 4: p = resize(get(100), 3 << 20); break;
    case 5: p = opaque(memalign(1 << 20, 100)); break;
    case 6: CHECK(posix_memalign(&p, 64, 10000) == 0); break;
    default: p = resize(NULL, 77); break;
    }
    CHECK(p);
    free(p);
    exercise((unsigned long)which, 300);
    mallinfo2();
    malloc_trim(0);
    return NULL;
}

int main(void) {
    pthread_attr_t smallest;
    CHECK(pthread_attr_init(&smallest) == 0);
    CHECK(pthread_attr_setstacksize(&smallest, 16384) == 0);
    for (long i = 0; i < 200; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, &smallest, thread, (void *)i) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    return 0;
}
