/* what: realloc up and down over every boundary, to 256 MiB and back, keeps the bytes; two buffers that grow in turn stay apart.
 * mode: preload
 */
#include "pit.h"

static void mark(unsigned char *p, size_t size, unsigned seed) {
    for (size_t i = 0; i < size; i += 4096) {
        p[i] = (unsigned char)(i / 4096 + seed);
    }
    p[size - 1] = (unsigned char)seed;
}

static void check(const unsigned char *p, size_t size, size_t written, unsigned seed) {
    for (size_t i = 0; i + 1 < size; i += 4096) {
        CHECK(p[i] == (unsigned char)(i / 4096 + seed));
    }
    if (size == written && (size - 1) % 4096) {
        CHECK(p[size - 1] == (unsigned char)seed);
    }
}

int main(void) {
    size_t size = 1;
    unsigned char *p = get(size);
    mark(p, size, 0);
    while (size < (size_t)256 << 20) {
        size_t next = size * 2 + 13;
        p = resize(p, next);
        CHECK(p);
        check(p, size, size, 0);
        size = next;
        mark(p, size, 0);
    }
    while (size > 100) {
        size_t next = size / 3;
        p = resize(p, next);
        CHECK(p);
        check(p, next, size, 0);
        size = next;
        mark(p, size, 0);
    }
    free(p);
    unsigned char *a = get(10), *b = get(10);
    size_t had = 10;
    mark(a, had, 1);
    mark(b, had, 2);
    for (size_t n = 1000; n < (size_t)8 << 20; n += n / 4) {
        a = resize(a, n);
        check(a, had, had, 1);
        mark(a, n, 1);
        b = resize(b, n);
        check(b, had, had, 2);
        mark(b, n, 2);
        had = n;
    }
    check(a, had, had, 1);
    free(a);
    free(b);
    return 0;
}
