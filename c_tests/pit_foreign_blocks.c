/* what: blocks of the C library's own malloc, small, large, aligned and a thread's, given to free: one warning, and they are left as they are.
 * mode: preload
 * flags: -pthread
 * plain: no
 * links: pit_foreign
 * stderr: ^mems: free of 0x[0-9a-f]+ \(not from MeMS: left alone\)
 */
#include "pit.h"

void *foreign_make(size_t n);
void *foreign_make_aligned(size_t alignment, size_t n);
void foreign_drop(void *p);

static void *block[64];

static void *thread(void *none) {
    for (int i = 0; i < 64; i++) {
        block[i] = foreign_make((size_t)1 << i % 22);
    }
    return none;
}

static void give_all(void) {
    errno = 88;
    for (int i = 0; i < 64; i++) {
        free(block[i]);
        CHECK_ERRNO(88);
    }
    /* None of ours is where one of theirs is. */
    for (int i = 0; i < 64; i++) {
        char *mine = get((size_t)1 << i % 22), *theirs = block[i];
        for (int k = 0; k < 64; k++) {
            theirs = block[k];
            CHECK(mine + ((size_t)1 << i % 22) <= theirs || theirs + ((size_t)1 << k % 22) <= mine);
        }
        memset(mine, 1, (size_t)1 << i % 22);
        free(mine);
    }
    for (int i = 0; i < 64; i++) {
        CHECK(holds_only(block[i], 0x5c, (size_t)1 << i % 22));
        foreign_drop(block[i]);
    }
}

int main(void) {
    pthread_t t;
    thread(NULL);
    give_all();
    CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
    CHECK(pthread_join(t, NULL) == 0);
    give_all();
    void *aligned = foreign_make_aligned(1 << 16, 100);
    free(aligned);
    foreign_drop(aligned);
    exercise(1, 3000);
    return 0;
}
