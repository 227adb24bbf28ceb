/* A planted leak, a planted hot spot and a planted peak, each in a function of its own name. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile list;

__attribute__((noinline)) static void leak_node(void) {
    void **node = malloc(48);
    node[0] = (void *)list;
    list = node;
}

static inline __attribute__((always_inline)) char *inlined_join(size_t n) { return malloc(n); }

__attribute__((noinline)) static void hot_spot(int i) {
    char *text = inlined_join(10 + i % 20);
    text[0] = 'x';
    free(text);
}

__attribute__((noinline)) static void make_peak(void) {
    char *volatile block[100];
    for (int i = 0; i < 100; i++) {
        block[i] = malloc(20000);
        memset((void *)block[i], 1, 20000);
    }
    for (int i = 0; i < 100; i++) free((void *)block[i]);
}

int main(void) {
    for (int i = 0; i < 5000; i++) {
        hot_spot(i);
        if (i % 5 == 0) leak_node();
    }
    make_peak();
    return 0;
}
