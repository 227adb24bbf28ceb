/* what: a program that defines malloc, calloc, realloc and free itself: the C library's strdup, getline and asprintf use the program's, none of ours mixes in.
 * mode: preload
 * dump: no
 */
#include "pit.h"

static char heap[8 << 20] __attribute__((aligned(16)));
static size_t used;
static int wrong;

static int is_own(const void *p) {
    return (const char *)p >= heap && (const char *)p < heap + sizeof heap;
}

void *malloc(size_t n) {
    size_t at = __atomic_fetch_add(&used, ((n + 15) & ~(size_t)15) + 16, __ATOMIC_RELAXED);
    if (at + n + 16 > sizeof heap) {
        errno = ENOMEM;
        return NULL;
    }
    *(size_t *)(heap + at) = n;
    return heap + at + 16;
}

void free(void *p) {
    wrong += p && !is_own(p);
}

void *calloc(size_t count, size_t n) {
    void *p = malloc(count * n);
    return p;
}

void *realloc(void *p, size_t n) {
    void *moved = malloc(n);
    if (p && moved) {
        size_t had = ((size_t *)p)[-2];
        memcpy(moved, p, had < n ? had : n);
        free(p);
    }
    return moved;
}

int main(void) {
    char *s = strdup("text"), *line = NULL, *t = NULL;
    size_t room = 0;
    CHECK(is_own(s));
    free(s);
    FILE *f = fopen("/proc/self/maps", "r");
    CHECK(f && is_own(f));
    while (getline(&line, &room, f) > 0) {
    }
    CHECK(is_own(line));
    free(line);
    fclose(f);
    CHECK(asprintf(&t, "%5000d", 1) == 5000 && is_own(t));
    free(t);
    t = realpath("/proc", NULL);
    CHECK(is_own(t));
    free(t);
    t = getcwd(NULL, 0);
    CHECK(is_own(t));
    free(t);
    CHECK(wrong == 0);
    return 0;
}
