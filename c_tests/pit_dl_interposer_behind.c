/* what: another malloc interposer preloaded behind us is simply not reached; none of its blocks mix with ours.
 * mode: preload
 * flags: -pthread
 * behind: pit_interposer
 * plain: no
 */
#include "pit.h"
#include <dlfcn.h>

static void *thread(void *seed) {
    exercise((unsigned long)seed, 3000);
    return strdup("some text");
}

int main(void) {
    unsigned long *calls = dlsym(RTLD_DEFAULT, "interposer_calls");
    CHECK(calls);
    unsigned long before = *calls;
    for (unsigned long i = 0; i < 10; i++) {
        pthread_t t;
        void *p;
        CHECK(pthread_create(&t, NULL, thread, (void *)i) == 0);
        CHECK(pthread_join(t, &p) == 0);
        free(resize(p, 5000));
    }
    CHECK(*calls == before);
    return 0;
}
