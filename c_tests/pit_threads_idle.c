/* what: 20,000 threads that never allocate, whose end alone brings a free(NULL) by the C library after every key destructor, leave nothing behind.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static void *idle(void *none) {
    return none;
}

int main(void) {
    long warm = 0, vm = 0;
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0);
    CHECK(pthread_attr_setstacksize(&small, 32 << 10) == 0);
    for (int i = 0; i < 20000; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, &small, idle, NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        if (i == 500) {
            warm = status_kib("VmRSS");
            vm = status_kib("VmSize");
        }
    }
    CHECK(status_kib("VmRSS") < warm + 2048);
    CHECK(status_kib("VmSize") < vm + 4096);
    return 0;
}
