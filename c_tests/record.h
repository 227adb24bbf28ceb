/* Runs the test program again with call sites recorded, and reads the record (docs/record.md) that it leaves: for tests of
 * MEMS_PROFILE and MEMS_RECORD.
 */
#ifndef MEMS_RECORD_H
#define MEMS_RECORD_H

#include "run_self.h"

/* A function whose code lies in a page part of its own, so that a return address tells that it is the caller. */
#define CALLER __attribute__((noinline, noclone, aligned(512)))

enum { NODE, CALLS, ASKED, USABLE, LIVE_BLOCKS, LIVE_BYTES, PEAK_BLOCKS, PEAK_BYTES, TEMPORARY, LEAST, MOST, SAMPLES, COLUMNS };

struct record {
    char *text;
    long long sites[20000][COLUMNS];
    size_t site_count;
    long long nodes[60000][3]; /* from 1 */
    size_t node_count;
    struct {
        char path[512];
        unsigned long long bias;
        long long to; /* -1: open */
    } modules[200];
    size_t module_count;
};

/* The numbers of every `"rows":[[...],...]` behind `at`, up to the end of its line. */
static inline size_t record_rows(const char *at, long long *out, size_t width, size_t room) {
    size_t count = 0;
    at = strstr(at, "\"rows\":[");
    CHECK(at != NULL);
    at += 8;
    while (*at == '[' || (*at == ',' && at[1] == '[')) {
        at += *at == ',' ? 2 : 1;
        CHECK(count < room);
        for (size_t i = 0; i < width; i++) {
            char *end;
            out[count * width + i] = (long long)strtoull(at, &end, 10);
            CHECK(end != at && *end == (i + 1 < width ? ',' : ']'));
            at = end + 1;
        }
        count++;
    }
    CHECK(*at == ']');
    return count;
}

/* Reads the record that `path` holds. The last line must say how many there are. */
static inline void read_record(struct record *record, const char *path) {
    int file = open(path, O_RDONLY);
    CHECK(file >= 0);
    off_t length = lseek(file, 0, SEEK_END);
    CHECK(length > 0);
    record->text = (char *)malloc((size_t)length + 1);
    CHECK(record->text && pread(file, record->text, (size_t)length, 0) == length);
    record->text[length] = 0;
    close(file);
    record->site_count = record->node_count = record->module_count = 0;
    long lines = 0;
    CHECK(strncmp(record->text, "{\"schema\":\"mems/1\",", 19) == 0);
    for (char *line = record->text; *line; line++, lines++) {
        char *end = strchr(line, '\n');
        CHECK(end != NULL && end - line < 65536 + 1);
        *end = 0;
        if (strstr(line, "\"mems-modules/1\"")) {
            size_t number = (size_t)field(line, "", "module");
            CHECK(number == record->module_count && number < 200);
            char *name = strstr(line, "\"path\":\"") + 8;
            size_t size = (size_t)(strchr(name, '"') - name);
            CHECK(size < sizeof record->modules[0].path);
            memcpy(record->modules[number].path, name, size);
            record->modules[number].bias = (unsigned long long)field(line, "", "bias");
            record->modules[number].to = strstr(line, "\"to\":null") ? -1 : field(line, "\"from\"", "to");
            record->module_count++;
        } else if (strstr(line, "\"mems-nodes/1\"")) {
            CHECK(field(line, "", "first") == (long long)record->node_count + 1);
            record->node_count += record_rows(line, record->nodes[record->node_count + 1], 3, 59999 - record->node_count);
        } else if (strstr(line, "\"mems-sites/1\"")) {
            record->site_count += record_rows(line, record->sites[record->site_count], COLUMNS, 20000 - record->site_count);
        } else if (strstr(line, "\"mems-end/1\"")) {
            CHECK(field(line, "", "lines") == lines && end[1] == 0);
        }
        *end = '\n';
        line = end;
    }
    CHECK(strstr(record->text, "\"mems-end/1\"") != NULL);
}

/* Runs this program as `argument` with MEMS_PROFILE=mode and reads its record. */
static inline void run_recorded(struct record *record, const char *argument, const char *mode) {
    static struct seen seen;
    char set[100];
    snprintf(set, sizeof set, "MEMS_PROFILE=%s", mode);
    unlink("one.mems");
    setenv("MEMS_RECORD", "one.mems", 1);
    run_self(&seen, argument, set);
    unsetenv("MEMS_RECORD");
    if (!ended_with(&seen, 0)) {
        check_put(seen.text);
    }
    CHECK(ended_with(&seen, 0));
    read_record(record, "one.mems");
}

/* Whether a node is a call in `function` of the program itself. */
static inline int calls_from(const struct record *record, long long node, void *function) {
    extern char __executable_start[];
    if (node <= 0 || record->nodes[node][2] < 0) {
        return 0;
    }
    size_t module = (size_t)record->nodes[node][2];
    if (strcmp(strrchr(record->modules[module].path, '/'), strrchr(own_path(), '/')) != 0) {
        return 0;
    }
    unsigned long long at = (unsigned long long)record->nodes[node][1] - 1 - record->modules[module].bias;
    return at / 512 == ((uintptr_t)function - (uintptr_t)__executable_start) / 512;
}

/* The sum of one column over the sites whose `depth`th frame (0: innermost) is in `function`. */
static inline long long sum_at(const struct record *record, void *function, int depth, int column) {
    long long sum = 0;
    for (size_t i = 0; i < record->site_count; i++) {
        long long node = record->sites[i][NODE];
        for (int up = 0; up < depth && node > 0; up++) {
            node = record->nodes[node][0];
        }
        if (calls_from(record, node, function)) {
            sum += record->sites[i][column];
        }
    }
    return sum;
}

/* How many sites there are whose innermost frame is in `function`. */
static inline int sites_in(const struct record *record, void *function) {
    int count = 0;
    for (size_t i = 0; i < record->site_count; i++) {
        count += calls_from(record, record->sites[i][NODE], function);
    }
    return count;
}

/* The sum of one column over all sites. */
static inline long long sum_of(const struct record *record, int column) {
    long long sum = 0;
    for (size_t i = 0; i < record->site_count; i++) {
        sum += record->sites[i][column];
    }
    return sum;
}

/* One column of the row of what has no site. */
static inline long long without_site(const struct record *record, int column) {
    for (size_t i = 0; i < record->site_count; i++) {
        if (record->sites[i][NODE] == 0) {
            return record->sites[i][column];
        }
    }
    return 0;
}

/* The rows and the dump say the same, and every call has its site. */
static inline void check_totals(const struct record *record) {
    const char *dump = record->text;
    CHECK(sum_of(record, CALLS) == field(dump, "\"blocks\":{\"asked\"", "asked"));
    CHECK(sum_of(record, LIVE_BYTES) == field(dump, "\"bytes\"", "live_usable"));
    CHECK(sum_of(record, LIVE_BLOCKS) == field(dump, "\"blocks\":{\"asked\"", "live") + field(dump, "\"inherited\"", "blocks"));
    const char *asked = "\"bytes\":{\"asked\"";
    CHECK(sum_of(record, ASKED) == field(dump, asked, "malloc") + field(dump, asked, "calloc") + field(dump, asked, "realloc") +
                                        field(dump, asked, "aligned") + field(dump, asked, "new"));
    CHECK(without_site(record, CALLS) == 0 && without_site(record, ASKED) == 0);
    CHECK(without_site(record, LIVE_BLOCKS) == 0 && without_site(record, LIVE_BYTES) == 0);
    if (strstr(dump, "\"exact\":true")) {
        CHECK(sum_of(record, PEAK_BYTES) == field(dump, "\"peak\":{", "live_usable"));
        CHECK(without_site(record, PEAK_BYTES) == 0 && without_site(record, PEAK_BLOCKS) == 0);
    }
}

#endif
