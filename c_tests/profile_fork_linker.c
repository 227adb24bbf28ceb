/* what: a fork while another thread has the dynamic linker's lock, which nobody opens in the child: there the first call from
 *       new code has its site all the same, and does not wait.
 * plain: no
 * flags: -pthread
 * env: MEMS_PROFILE=sites
 */
#include "pit.h"

#include <link.h>

static pthread_barrier_t inside;

static int look(struct dl_phdr_info *info, size_t size, void *last) {
    (void)info, (void)size;
    if (!*(int *)last) {
        *(int *)last = 1;
        pthread_barrier_wait(&inside);
        pthread_barrier_wait(&inside);
    }
    return 0;
}

static void *walks(void *none) {
    int last = 0;
    dl_iterate_phdr(look, &last);
    return none;
}

int main(void) {
    pthread_t t;
    CHECK(pthread_barrier_init(&inside, NULL, 2) == 0);
    CHECK(pthread_create(&t, NULL, walks, NULL) == 0);
    pthread_barrier_wait(&inside);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(10);
        /* The program's first call of its own. */
        free(get(100));
        _exit(0);
    }
    CHECK(ended_well(child));
    pthread_barrier_wait(&inside);
    CHECK(pthread_join(t, NULL) == 0);
    return 0;
}
