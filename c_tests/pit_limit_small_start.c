/* what: the program is started with 8 MiB of address space, or 3 MiB of data, or 256 KiB of stack, or a stack without limit: it runs.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static void *thread(void *seed) {
    exercise((unsigned long)seed, 2000);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        void *keep[20];
        for (int i = 0; i < 20; i++) {
            keep[i] = get((size_t)i * 1000 + 1);
            CHECK(keep[i]);
            memset(keep[i], 1, (size_t)i * 1000 + 1);
        }
        exercise(1, 3000);
        pthread_attr_t small;
        pthread_t t;
        CHECK(pthread_attr_init(&small) == 0);
        CHECK(pthread_attr_setstacksize(&small, 64 << 10) == 0);
        CHECK(pthread_create(&t, &small, thread, (void *)3) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        for (int i = 0; i < 20; i++) {
            free(keep[i]);
        }
        return 0;
    }
    struct {
        int which;
        rlim_t value;
    } cases[] = {{RLIMIT_AS, 8 << 20}, {RLIMIT_DATA, 3 << 20}, {RLIMIT_STACK, 256 << 10}, {RLIMIT_STACK, RLIM_INFINITY}};
    for (int i = 0; i < 4; i++) {
        pid_t child = fork();
        if (child == 0) {
            struct rlimit limit = {cases[i].value, cases[i].value};
            CHECK(setrlimit(cases[i].which, &limit) == 0);
            execl(own_path(), argv[0], "child", (char *)NULL);
            _exit(5);
        }
        CHECK(ended_well(child));
    }
    return 0;
}
