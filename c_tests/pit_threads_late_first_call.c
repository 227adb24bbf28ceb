/* what: 5,000 threads each whose first call of all comes at its end: in a key destructor's last round, in a thread that only frees, in a cleanup handler; nothing is left behind.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"
#include <limits.h>

static pthread_key_t key;

static void last_round(void *value) {
    long round = (long)value;
    if (round < PTHREAD_DESTRUCTOR_ITERATIONS) {
        CHECK(pthread_setspecific(key, (void *)(round + 1)) == 0);
    } else {
        free(get(100));
    }
}

static void cleanup(void *p) {
    free(p);
}

static void *by_key(void *none) {
    CHECK(pthread_setspecific(key, (void *)1L) == 0);
    return none;
}

static void *only_frees(void *p) {
    free(p);
    return NULL;
}

static void *by_cleanup(void *p) {
    pthread_cleanup_push(cleanup, p);
    pthread_exit(NULL);
    pthread_cleanup_pop(1);
    return NULL;
}

int main(void) {
    long warm = 0, vm = 0;
    pthread_attr_t small;
    CHECK(pthread_key_create(&key, last_round) == 0);
    CHECK(pthread_attr_init(&small) == 0);
    CHECK(pthread_attr_setstacksize(&small, 32 << 10) == 0);
    for (int i = 0; i < 15000; i++) {
        pthread_t t;
        void *(*kind)(void *) = i % 3 == 0 ? by_key : i % 3 == 1 ? only_frees : by_cleanup;
        CHECK(pthread_create(&t, &small, kind, i % 3 ? get(100) : NULL) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        if (i == 1000) {
            warm = status_kib("VmRSS");
            vm = status_kib("VmSize");
        }
    }
    CHECK(status_kib("VmRSS") < warm + 4096);
    CHECK(status_kib("VmSize") < vm + 8192);
    return 0;
}
