/* what: blocks outlive the thread that made them, and are resized and freed by others long after it has ended.
 * flags: -pthread
 */
#include "check.h"
#include <pthread.h>

#define COUNT 400

static void *maker(void *arg) {
    unsigned char **blocks = arg;
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = malloc(i * i + 1);
        CHECK(blocks[i] != NULL);
        memset(blocks[i], (int)(i % 250), i * i + 1);
    }
    return NULL;
}

static void *user(void *arg) {
    unsigned char **blocks = arg;
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(holds_only(blocks[i], (int)(i % 250), i * i + 1));
        if (i % 3 == 0) {
            blocks[i] = realloc(blocks[i], 2 * i * i + 1);
            CHECK(blocks[i] && holds_only(blocks[i], (int)(i % 250), i * i + 1));
        }
        free(blocks[i]);
    }
    return NULL;
}

int main(void) {
    static unsigned char *blocks[8][COUNT];
    for (int round = 0; round < 12; round++) {
        pthread_t t[8];
        for (int i = 0; i < 8; i++) {
            CHECK(pthread_create(&t[i], NULL, maker, blocks[i]) == 0);
        }
        for (int i = 0; i < 8; i++) {
            CHECK(pthread_join(t[i], NULL) == 0);
        }
        for (int i = 0; i < 8; i++) {
            CHECK(pthread_create(&t[i], NULL, user, blocks[(i + 1) % 8]) == 0);
        }
        for (int i = 0; i < 8; i++) {
            CHECK(pthread_join(t[i], NULL) == 0);
        }
    }
    /* One round holds 170 MiB, twelve 2 GiB: what is left behind for good would show. */
    CHECK(status_kib("VmHWM") < 400 << 10);
    return 0;
}
