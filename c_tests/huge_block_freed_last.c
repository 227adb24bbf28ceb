/* what: the huge block freed last is there for the next of its size, and goes back when a tenth of a second has passed.
 * mode: preload
 * plain: no
 */
#include "pit.h"
#include <sys/resource.h>
#include <time.h>

#define HUGE ((size_t)32 << 20)

static long faults(void) {
    struct rusage now;
    getrusage(RUSAGE_SELF, &now);
    return now.ru_minflt;
}

static void take_and_free(void) {
    char *p = get(HUGE);
    CHECK(p);
    memset(p, 1, HUGE);
    free(p);
}

int main(void) {
    take_and_free();
    long first = faults();
    for (int i = 0; i < 3; i++) {
        take_and_free();
    }
    CHECK(faults() - first < 1000);
    CHECK(status_kib("VmRSS") > 30 << 10);
    struct timespec pause = {0, 150000000};
    nanosleep(&pause, NULL);
    /* Any slow path will do. */
    free(get(100000));
    void *blocks[2000];
    for (int i = 0; i < 2000; i++) {
        blocks[i] = get(500);
    }
    CHECK(status_kib("VmRSS") < 12 << 10);
    for (int i = 0; i < 2000; i++) {
        free(blocks[i]);
    }
    return 0;
}
