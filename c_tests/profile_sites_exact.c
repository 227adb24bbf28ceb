/* what: with MEMS_PROFILE=sites every call of every function of the family counts for its direct caller, exactly: calls, bytes
 *       asked, what is live, what was freed at once, smallest and largest size; and all sites together are the dump.
 * plain: no
 */
#include "record.h"
#include <malloc.h>

static CALLER void *by_malloc(size_t size) {
    void *p = malloc(size);
    CHECK(p != NULL);
    return p;
}

static CALLER void *by_calloc(size_t count, size_t size) {
    void *p = calloc(count, size);
    CHECK(p != NULL);
    return p;
}

static CALLER void *by_realloc(void *p, size_t size) {
    p = realloc(p, size);
    CHECK(p != NULL);
    return p;
}

static CALLER void by_others(void) {
    void *p = NULL;
    CHECK(posix_memalign(&p, 64, 100) == 0);
    free(p);
    CHECK((p = aligned_alloc(64, 128)) != NULL);
    free(p);
    CHECK((p = memalign(256, 1000)) != NULL);
    free(p);
    CHECK((p = valloc(5000)) != NULL);
    free(p);
    CHECK((p = reallocarray(NULL, 10, 30)) != NULL);
    free(p);
}

static CALLER void at_once(void) {
    for (int i = 0; i < 77; i++) {
        void *p = malloc(64);
        CHECK(p != NULL);
        free(p);
    }
}

static CALLER void fails(void) {
    CHECK(malloc((size_t)unknown(0) - 1) == NULL);
    void *p = by_malloc(100);
    CHECK(realloc(p, (size_t)PTRDIFF_MAX + (size_t)unknown(1)) == NULL);
    free(p);
}

static void *kept[1000];

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        for (size_t i = 0; i < 1000; i++) {
            kept[i] = by_malloc(i + 1);
        }
        for (size_t i = 0; i < 1000; i += 2) {
            free(kept[i]);
        }
        for (int i = 0; i < 10; i++) {
            void *p = by_realloc(by_calloc(3, 40), 50000);
            if (i % 2) {
                free(p);
            }
        }
        CHECK(by_malloc(1 << 20) != NULL);
        by_others();
        at_once();
        fails();
        return 0;
    }
    static struct record record;
    run_recorded(&record, "child", "sites");
    check_totals(&record);
    CHECK(sum_at(&record, by_malloc, 0, CALLS) == 1002 && sites_in(&record, by_malloc) == 1);
    CHECK(sum_at(&record, by_malloc, 0, ASKED) == 500500 + (1 << 20) + 100);
    CHECK(sum_at(&record, by_malloc, 0, LIVE_BLOCKS) == 501);
    CHECK(sum_at(&record, by_malloc, 0, LEAST) == 1 && sum_at(&record, by_malloc, 0, MOST) == 1 << 20);
    CHECK(sum_at(&record, by_calloc, 0, CALLS) == 10 && sum_at(&record, by_calloc, 0, ASKED) == 1200);
    CHECK(sum_at(&record, by_calloc, 0, LIVE_BLOCKS) == 0 && sum_at(&record, by_calloc, 0, LIVE_BYTES) == 0);
    CHECK(sum_at(&record, by_realloc, 0, CALLS) == 10 && sum_at(&record, by_realloc, 0, ASKED) == 500000);
    CHECK(sum_at(&record, by_realloc, 0, LIVE_BLOCKS) == 5 && sum_at(&record, by_realloc, 0, LIVE_BYTES) >= 250000);
    CHECK(sum_at(&record, by_others, 0, CALLS) == 5 && sum_at(&record, by_others, 0, ASKED) == 6528);
    CHECK(sites_in(&record, by_others) == 5 && sum_at(&record, by_others, 0, LIVE_BLOCKS) == 0);
    CHECK(sum_at(&record, at_once, 0, CALLS) == 77 && sum_at(&record, at_once, 0, TEMPORARY) == 77);
    CHECK(sum_at(&record, at_once, 0, LIVE_BLOCKS) == 0);
    CHECK(sum_at(&record, fails, 0, CALLS) == 0);
    return 0;
}
