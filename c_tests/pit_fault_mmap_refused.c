/* what: the kernel refuses a thread every mapping (ENOMEM, then EAGAIN): its calls give NULL and ENOMEM, old blocks stay, other threads go on, and nothing is lost.
 * mode: preload
 * flags: -pthread
 */
#include "seccomp.h"

static void *refused(void *action) {
    static const int listed[] = {SYS_mmap, SYS_mremap, -1};
    unsigned char *kept = get(1000);
    memset(kept, 4, 1000);
    filter_calls(listed, (unsigned)(uintptr_t)action, SECCOMP_RET_ALLOW);
    errno = 0;
    CHECK(get((size_t)700 << 20) == NULL);
    CHECK_ERRNO(ENOMEM);
    errno = 0;
    CHECK(get_zeroed(1000, 1 << 20) == NULL);
    CHECK_ERRNO(ENOMEM);
    errno = 0;
    CHECK(resize(kept, (size_t)700 << 20) == NULL);
    CHECK_ERRNO(ENOMEM);
    CHECK(holds_only(kept, 4, 1000));
    errno = 0;
    CHECK(opaque(memalign(1 << 26, (size_t)700 << 20)) == NULL);
    CHECK_ERRNO(ENOMEM);
    void *p = NULL;
    CHECK(posix_memalign(&p, 64, (size_t)700 << 20) == ENOMEM);
    CHECK(p == NULL);
    /* Small blocks until there are no more, too: a chain of them, then all freed. */
    void **last = NULL;
    size_t count = 0;
    for (;;) {
        errno = 0;
        void **next = get(2000);
        if (!next) {
            CHECK_ERRNO(ENOMEM);
            break;
        }
        *next = last;
        last = next;
        CHECK(++count < 200000);
    }
    while (last) {
        void **next = *last;
        free(last);
        last = next;
    }
    /* What was freed is there again. */
    for (size_t i = 0; i < count / 2; i++) {
        void **next = get(2000);
        CHECK(next);
        *next = last;
        last = next;
    }
    while (last) {
        void **next = *last;
        free(last);
        last = next;
    }
    free(kept);
    return NULL;
}

int main(void) {
    /* A filter cannot refuse brk (its error would look like an address to the C library): a page in its way can. */
    free(get(1000));
    void *end = (void *)(((uintptr_t)sbrk(0) + 4095) & ~(uintptr_t)4095);
    CHECK(mmap(end, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == end);
    unsigned actions[] = {REFUSED_ENOMEM, REFUSED_EAGAIN};
    for (int i = 0; i < 6; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, refused, (void *)(uintptr_t)actions[i % 2]) == 0);
        CHECK(pthread_join(t, NULL) == 0);
        exercise((unsigned long)i, 5000);
        void *p = get(300 << 20);
        CHECK(p);
        free(p);
    }
    return 0;
}
