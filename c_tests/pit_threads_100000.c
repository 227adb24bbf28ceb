/* what: 100,000 threads one after another, each leaving blocks to be freed by others, leave nothing behind.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static void *thread(void *inherited) {
    free(inherited);
    void *p = get(100);
    free(get(5000));
    return p;
}

int main(void) {
    void *block = NULL;
    long warm = 0, vm = 0;
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0);
    CHECK(pthread_attr_setstacksize(&small, 32 << 10) == 0);
    for (int i = 0; i < 100000; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, &small, thread, block) == 0);
        CHECK(pthread_join(t, &block) == 0);
        CHECK(block);
        if (i == 2000) {
            warm = status_kib("VmRSS");
            vm = status_kib("VmSize");
        }
    }
    free(block);
    CHECK(status_kib("VmRSS") < warm + 4096);
    CHECK(status_kib("VmSize") < vm + 16384);
    return 0;
}
