/* what: the names __libc_malloc, __libc_free and so on lead to the same heap as the plain ones.
 * mode: both
 */
#include "check.h"
#include <malloc.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void *__libc_valloc(size_t);
extern void *__libc_pvalloc(size_t);
extern void __libc_free(void *);
extern int __libc_mallopt(int, int);

int main(void) {
    for (size_t size = 1; size < 500000; size = size * 2 + 5) {
        char *p = __libc_malloc(size);
        CHECK(p && malloc_usable_size(p) >= size);
        memset(p, 1, size);
        p = realloc(p, size * 2);
        CHECK(p && holds_only(p, 1, size));
        p = __libc_realloc(p, size);
        CHECK(p && holds_only(p, 1, size));
        __libc_free(p);
        p = __libc_calloc(size, 2);
        CHECK(p && holds_only(p, 0, size * 2));
        free(p);
        p = malloc(size);
        __libc_free(p);
        p = __libc_memalign(512, size);
        CHECK(p && ALIGNED(p, 512));
        free(p);
        p = __libc_valloc(size);
        CHECK(p && ALIGNED(p, sysconf(_SC_PAGESIZE)));
        free(p);
        p = __libc_pvalloc(size);
        CHECK(p && ALIGNED(p, sysconf(_SC_PAGESIZE)));
        free(p);
    }
    __libc_free(NULL);
    CHECK(__libc_mallopt(M_TRIM_THRESHOLD, 1 << 20) == 1);
    return 0;
}
