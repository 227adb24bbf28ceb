/* what: a SIGEV_THREAD timer's function, which runs in threads that the C library makes, uses the heap.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static int ticks;

static void tick(union sigval value) {
    exercise((unsigned long)value.sival_int + (unsigned long)ticks, 200);
    __atomic_add_fetch(&ticks, 1, __ATOMIC_RELAXED);
}

int main(void) {
    timer_t timer;
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = tick;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    struct itimerspec every = {{0, 2000000}, {0, 2000000}};
    CHECK(timer_settime(timer, 0, &every, NULL) == 0);
    double end = seconds() + 5;
    while (__atomic_load_n(&ticks, __ATOMIC_RELAXED) < 50 && seconds() < end) {
        exercise(1, 100);
    }
    CHECK(ticks >= 50);
    timer_delete(timer);
    return 0;
}
