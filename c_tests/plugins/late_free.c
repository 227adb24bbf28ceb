/* A library that keeps blocks of the program and frees them in its destructor, which runs after the program's. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[100];
static int count;

void keep_for_later(void *p) {
    if (!p || count == 100) {
        _exit(33);
    }
    kept[count++] = p;
}

__attribute__((destructor)) static void give_back(void) {
    for (int i = 0; i < count; i++) {
        free(kept[i]);
        char *p = malloc(50);
        if (!p) {
            _exit(34);
        }
        memset(p, 1, 50);
        free(p);
    }
}
