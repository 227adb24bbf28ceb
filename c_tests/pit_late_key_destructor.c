/* what: pthread-key destructors free, allocate and set their key again, in every order, up to the last round.
 * mode: preload
 * flags: -pthread
 * links: pit_late_key
 */
#include "pit.h"
#include <limits.h>

void *late_key_touch(void);

static pthread_key_t before, again;
static int rounds;

static void drop(void *p) {
    free(p);
    free(get(70));
}

static void set_again(void *p) {
    p = resize(p, 300);
    CHECK(p);
    if (__atomic_add_fetch(&rounds, 1, __ATOMIC_RELAXED) % PTHREAD_DESTRUCTOR_ITERATIONS) {
        CHECK(pthread_setspecific(again, p) == 0);
    } else {
        free(p);
    }
}

static void *thread(void *seed) {
    CHECK(pthread_setspecific(before, get(100)) == 0);
    CHECK(pthread_setspecific(again, get(200)) == 0);
    CHECK(late_key_touch() == NULL);
    exercise((unsigned long)seed, 200);
    return NULL;
}

int main(void) {
    CHECK(pthread_key_create(&before, drop) == 0);
    CHECK(pthread_key_create(&again, set_again) == 0);
    for (unsigned long i = 0; i < 500; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, (void *)i) == 0);
        CHECK(pthread_join(t, NULL) == 0);
    }
    CHECK(rounds == 500 * PTHREAD_DESTRUCTOR_ITERATIONS);
    CHECK(status_kib("VmRSS") < 20 << 10);
    return 0;
}
