/* A library whose constructor uses the heap in every way before the program's and MeMS's constructors run.
 * flags: -pthread
 */
#include "../pit.h"

#define N 64
static void *block[N];
static int forked_well, threaded_well;
int early_handlers;

static void *thread(void *from) {
    exercise((unsigned long)from, 500);
    void *p = get(33);
    return p;
}

static void churn(void) {
    void *p[8];
    for (int i = 0; i < 8; i++) {
        p[i] = get((size_t)(i + 1) * 700);
        CHECK(p[i]);
    }
    for (int i = 0; i < 8; i++) {
        free(p[i]);
    }
    early_handlers++;
}

__attribute__((constructor)) static void early(void) {
    for (int i = 0; i < N; i++) {
        switch (i % 4) {
        case 0: block[i] = get((size_t)i * i * 50); break;
        case 1: block[i] = get_zeroed((size_t)i, 10); break;
        case 2: block[i] = resize(get(5), (size_t)i * 100); break;
        default: block[i] = opaque(memalign(256, (size_t)i)); break;
        }
        CHECK(block[i]);
    }
    exercise(5, 3000);
    void *made = NULL;
    pthread_t t;
    CHECK(pthread_create(&t, NULL, thread, (void *)3) == 0);
    CHECK(pthread_join(t, &made) == 0);
    free(made);
    threaded_well = 1;
    pid_t child = fork();
    if (child == 0) {
        exercise(4, 500);
        free(block[3]);
        _exit(0);
    }
    forked_well = ended_well(child);
    /* In front of whatever a preloaded library registers: its prepare handler runs after theirs. */
    CHECK(pthread_atfork(churn, churn, churn) == 0);
}

int early_went_well(void) {
    return forked_well && threaded_well;
}

void **early_blocks(int *count) {
    *count = N;
    return block;
}
