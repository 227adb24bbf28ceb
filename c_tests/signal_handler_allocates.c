/* what: a signal handler that comes in the middle of malloc may itself allocate and free: neither deadlock nor a
 *       block given out twice. (glibc's malloc promises no such thing.)
 * plain: no
 */
#include "check.h"
#include <signal.h>
#include <sys/time.h>

static volatile int count;
static unsigned char *kept[64];

static void handler(int signal) {
    (void)signal;
    int slot = count++ % 64;
    size_t size = (size_t)(count % 50) * 100 + 1;
    if (kept[slot]) {
        CHECK(kept[slot][0] == 0xab);
        free(kept[slot]);
    }
    kept[slot] = malloc(size);
    CHECK(kept[slot] != NULL);
    memset(kept[slot], 0xab, size);
}

int main(void) {
    struct sigaction action = {0};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval often = {{0, 100}, {0, 100}};
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    unsigned char *held[200] = {0};
    size_t sizes[200] = {0};
    for (uint32_t i = 0, n = 1; count < 5000 || i < 2000000; i++) {
        n = n * 1664525 + 1013904223;
        uint32_t slot = (n >> 10) % 200;
        if (held[slot]) {
            CHECK(holds_only(held[slot], (int)slot, sizes[slot]));
            free(held[slot]);
        }
        sizes[slot] = (n >> 20) % ((n & 512) ? 64 : 4000);
        if (i % 5000 == 0) {
            sizes[slot] = 300000;
        }
        held[slot] = malloc(sizes[slot]);
        CHECK(held[slot] != NULL);
        memset(held[slot], (int)slot, sizes[slot]);
    }
    struct itimerval never = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    return 0;
}
