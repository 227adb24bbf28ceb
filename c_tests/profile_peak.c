/* what: the part that each site had in the peak is exact, also when the peak was long ago and sites have changed since.
 * plain: no
 */
#include "record.h"

#define COUNT 2000
static void *first[COUNT], *second[COUNT], *third[COUNT];

static CALLER void fill_first(void) {
    for (int i = 0; i < COUNT; i++) {
        CHECK((first[i] = malloc(100)) != NULL);
    }
}

static CALLER void fill_second(void) {
    for (int i = 0; i < COUNT; i++) {
        CHECK((second[i] = malloc(3000)) != NULL);
    }
}

static CALLER void fill_third(void) {
    for (int i = 0; i < COUNT; i++) {
        CHECK((third[i] = malloc(500)) != NULL);
    }
}

static void empty(void **blocks, int from) {
    for (int i = from; i < COUNT; i++) {
        free(blocks[i]);
    }
}

int main(int argc, char **argv) {
    if (argc > 1) {
        fill_first();
        fill_third();
        empty(third, 0);
        empty(first, 500);
        fill_second(); // the peak: 500 of the first, all of the second
        empty(second, 100);
        fill_third();
        if (strcmp(argv[1], "late") == 0) {
            fill_second(); // again, with all of the third: the peak is now
        }
        return 0;
    }
    static struct record record;
    const char *modes[2] = {"sites", "stacks"};
    for (int i = 0; i < 2; i++) {
        run_recorded(&record, "early", modes[i]);
        check_totals(&record);
        CHECK(sum_at(&record, fill_first, 0, PEAK_BLOCKS) == 500);
        CHECK(sum_at(&record, fill_second, 0, PEAK_BLOCKS) == COUNT);
        CHECK(sum_at(&record, fill_third, 0, PEAK_BLOCKS) == 0 && sum_at(&record, fill_third, 0, LIVE_BLOCKS) == COUNT);
        CHECK(sum_at(&record, fill_second, 0, LIVE_BLOCKS) == 100);
        run_recorded(&record, "late", modes[i]);
        check_totals(&record);
        CHECK(sum_at(&record, fill_first, 0, PEAK_BLOCKS) == 500);
        CHECK(sum_at(&record, fill_second, 0, PEAK_BLOCKS) == COUNT + 100);
        CHECK(sum_at(&record, fill_third, 0, PEAK_BLOCKS) == COUNT);
    }
    return 0;
}
