/* A library that makes pthread keys before anyone else can; each thread's value is dropped by a destructor that allocates.
 * flags: -pthread
 */
#include "../pit.h"

static pthread_key_t key[8];

static void drop(void *p) {
    void *q = get(1000);
    free(p);
    free(q);
}

static __thread void *kept;

void *late_key_touch(void) {
    for (int i = 0; i < 8; i++) {
        CHECK(pthread_setspecific(key[i], get(50)) == 0);
    }
    return kept;
}

__attribute__((constructor)) static void early(void) {
    for (int i = 0; i < 8; i++) {
        CHECK(pthread_key_create(&key[i], drop) == 0);
    }
    late_key_touch();
}
