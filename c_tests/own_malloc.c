/* what: a program that defines the whole malloc family itself keeps its own, for itself and for the C library.
 * dump: yes
 */
#include "check.h"

static char pool[8 << 20];
static size_t used;
static int calls;

void *memalign(size_t alignment, size_t size) {
    calls++;
    size_t at = (used + 16 + alignment - 1) & ~(alignment - 1);
    if (size > sizeof pool || at + size > sizeof pool) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(pool + at - 8, &size, 8);
    used = at + size;
    return pool + at;
}
void *malloc(size_t size) { return memalign(16, size); }
void *calloc(size_t n, size_t size) { return memalign(16, n * size); }
void free(void *p) { CHECK(!p || ((char *)p > pool && (char *)p < pool + sizeof pool)); }
void *realloc(void *p, size_t size) {
    void *q = malloc(size);
    if (p && q) {
        size_t old;
        memcpy(&old, (char *)p - 8, 8);
        memcpy(q, p, old < size ? old : size);
    }
    return q;
}
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **p, size_t alignment, size_t size) {
    *p = memalign(alignment, size);
    return *p ? 0 : ENOMEM;
}
size_t malloc_usable_size(void *p) {
    size_t size = 0;
    if (p) {
        memcpy(&size, (char *)p - 8, 8);
    }
    return size;
}

int main(void) {
    char *p = strdup("mine");
    CHECK(p > pool && p < pool + sizeof pool);
    free(p);
    CHECK(calls > 0);
    return 0;
}
