/* what: another malloc interposer preloaded in front of us, which forwards by RTLD_NEXT, works; aligned blocks go around it.
 * mode: preload
 * flags: -pthread
 * before: pit_interposer
 */
#include "pit.h"
#include <dlfcn.h>

static void *thread(void *seed) {
    exercise((unsigned long)seed, 3000);
    return opaque(memalign(128, 100));
}

int main(void) {
    unsigned long *calls = dlsym(RTLD_DEFAULT, "interposer_calls");
    for (unsigned long i = 0; i < 10; i++) {
        pthread_t t;
        void *p;
        CHECK(pthread_create(&t, NULL, thread, (void *)i) == 0);
        CHECK(pthread_join(t, &p) == 0);
        free(resize(p, 5000));
    }
    free(strdup("text"));
    CHECK(calls && *calls > 1000);
    pid_t child = fork();
    if (child == 0) {
        exercise(4, 300);
        exit(0);
    }
    CHECK(ended_well(child));
    return 0;
}
