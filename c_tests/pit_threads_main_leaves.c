/* what: main leaves by pthread_exit with blocks of its own; the others go on with them, and the process ends with the last.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"

static pthread_t main_thread;
static void *block[1000];

static void *thread(void *seed) {
    if (seed == NULL) {
        CHECK(pthread_join(main_thread, NULL) == 0);
        for (int i = 0; i < 1000; i++) {
            block[i] = resize(block[i], 300);
            CHECK(block[i] && *(int *)block[i] == i);
            free(block[i]);
        }
    }
    exercise((unsigned long)seed, 20000);
    return NULL;
}

int main(void) {
    main_thread = pthread_self();
    for (int i = 0; i < 1000; i++) {
        block[i] = get(40);
        *(int *)block[i] = i;
    }
    for (unsigned long i = 0; i < 4; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, (void *)i) == 0);
    }
    pthread_exit(NULL);
}
