/* what: with MEMS_PROFILE=stacks every call counts for its whole stack, through code without frame pointers, to main and
 *       beyond; two ways to the same call are two sites.
 * plain: no
 * flags: -fomit-frame-pointer
 */
#include "record.h"

static CALLER void *innermost(size_t size) {
    void *p = malloc(size);
    CHECK(p != NULL);
    return p;
}

static CALLER void *middle(size_t size) {
    volatile char room[300];
    room[0] = 1;
    void *p = innermost(size);
    CHECK(room[0] == 1);
    return p;
}

static CALLER void *variable(size_t size) {
    volatile char *room = __builtin_alloca(size);
    room[0] = 1;
    void *p = middle(size);
    CHECK(room[0] == 1);
    return p;
}

static CALLER int compare(const void *a, const void *b) {
    void *p = malloc(24);
    CHECK(p != NULL);
    free(p);
    return *(const int *)a - *(const int *)b;
}

static CALLER void child(void) {
    for (int i = 0; i < 100; i++) {
        innermost(10);
    }
    for (int i = 0; i < 50; i++) {
        free(middle(20));
    }
    for (size_t i = 0; i < 30; i++) {
        variable(i * 100 + 50);
    }
    int numbers[3] = {3, 1, 2};
    qsort(numbers, 3, sizeof numbers[0], compare);
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        child();
        return 0;
    }
    static struct record record;
    run_recorded(&record, "child", "stacks");
    check_totals(&record);
    CHECK(sites_in(&record, innermost) == 3 && sum_at(&record, innermost, 0, CALLS) == 180);
    CHECK(sum_at(&record, child, 1, CALLS) == 100 && sum_at(&record, child, 1, LIVE_BLOCKS) == 100);
    CHECK(sum_at(&record, middle, 1, CALLS) == 80 && sum_at(&record, middle, 1, LIVE_BLOCKS) == 30);
    CHECK(sum_at(&record, child, 2, CALLS) == 50 && sum_at(&record, child, 2, LIVE_BLOCKS) == 0);
    CHECK(sum_at(&record, variable, 2, CALLS) == 30 && sum_at(&record, child, 3, CALLS) >= 30);
    CHECK(sum_at(&record, compare, 0, CALLS) >= 2);
    // Through the C library's qsort to main, and on to the start of the program.
    long long node = 0;
    for (size_t i = 0; i < record.site_count; i++) {
        if (calls_from(&record, record.sites[i][NODE], compare)) {
            node = record.sites[i][NODE];
        }
    }
    int in_child = 0, frames = 0;
    for (; node > 0; node = record.nodes[node][0], frames++) {
        in_child += calls_from(&record, node, child);
        CHECK(record.nodes[node][0] < node && record.nodes[node][2] >= 0);
    }
    CHECK(in_child == 1 && frames >= 6);
    return 0;
}
