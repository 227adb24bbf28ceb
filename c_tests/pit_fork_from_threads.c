/* what: four threads fork at the same time, again and again; each child frees blocks of threads it does not have.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static void *others[4][50];

static void *forks(void *which) {
    long me = (long)which;
    for (int i = 0; i < 50; i++) {
        others[me][i] = get((size_t)i * 11);
    }
    for (int i = 0; i < 40; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(10);
            for (int k = 0; k < 50; k++) {
                free(others[me][k]);
                void *p = others[(me + 1) % 4][k];
                if (p) {
                    memset(p, 1, (size_t)k * 11);
                }
            }
            exercise((unsigned long)i, 300);
            exit(0);
        }
        CHECK(ended_well(child));
        exercise((unsigned long)(me * 1000 + i), 200);
    }
    return NULL;
}

int main(void) {
    pthread_t t[4];
    for (long i = 0; i < 4; i++) {
        CHECK(pthread_create(&t[i], NULL, forks, (void *)i) == 0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    return 0;
}
