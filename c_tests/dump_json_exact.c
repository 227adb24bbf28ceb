/* what: the JSON counts each call once, by function, with the bytes asked, and its identities hold.
 * plain: no
 */
#include "run_self.h"
#include <malloc.h>

static void work(void) {
    void *p[30];
    for (int i = 0; i < 10; i++) {
        p[i] = malloc(unknown(100));
    }
    for (int i = 10; i < 15; i++) {
        p[i] = calloc(unknown(3), 7);
    }
    p[0] = realloc(p[0], unknown(5000));
    p[15] = realloc(NULL, unknown(40));
    p[16] = reallocarray(NULL, unknown(4), 25);
    CHECK(posix_memalign(&p[17], 64, unknown(200)) == 0);
    p[18] = aligned_alloc(32, unknown(320));
    p[19] = memalign(16, unknown(16));
    p[20] = valloc(unknown(1));
    p[21] = pvalloc(unknown(4096));
    CHECK(malloc(unknown((size_t)PTRDIFF_MAX + 1)) == NULL);
    CHECK(calloc(unknown((size_t)1 << 40), (size_t)1 << 40) == NULL);
    for (int i = 0; i < 22; i++) {
        CHECK(p[i]);
    }
    for (int i = 0; i < 20; i++) {
        free(p[i]);
    }
    free(NULL);
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        work();
        return 0;
    }
    static struct seen seen;
    run_self(&seen, "child", "MEMS_STATS_FORMAT=json");
    const char *t = seen.text;
    CHECK(ended_with(&seen, 0));
    CHECK(strncmp(t, "{\"schema\":\"mems/1\",", 19) == 0);
    CHECK(strcmp(t + seen.length - 3, "}}\n") == 0 && times(t, "\n") == 1);
    CHECK(field(t, "\"process\"", "pid") == seen.pid && field(t, "\"process\"", "ppid") == getpid());
    CHECK(strstr(t, "\"argv\":[\"self\",\"child\"]"));
    CHECK(strstr(t, "\"exit\":{\"kind\":\"exit\",\"code\":0}"));
    struct {
        const char *name;
        long long count;
    } calls[] = {{"malloc", 11}, {"calloc", 6},       {"realloc", 2},   {"reallocarray", 1},
                 {"free", 21},   {"memalign", 1},     {"valloc", 1},    {"aligned_alloc", 1},
                 {"pvalloc", 1}, {"posix_memalign", 1}, {"new", 0},     {"delete", 0},
                 {"free_null", 1}, {"realloc_null", 2}, {"realloc_zero", 0}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (field(t, "\"calls\"", calls[i].name) != calls[i].count) {
            check_put(calls[i].name);
        }
        CHECK(field(t, "\"calls\"", calls[i].name) == calls[i].count);
    }
    CHECK(field(t, "\"failed\"", "malloc") == 1 && field(t, "\"failed\"", "calloc") == 1);
    CHECK(field(t, "\"bytes\"", "malloc") == 1000 && field(t, "\"bytes\"", "calloc") == 105);
    CHECK(field(t, "\"bytes\"", "realloc") == 5000 + 40 + 100);
    CHECK(field(t, "\"bytes\"", "aligned") == 200 + 320 + 16 + 1 + 4096);
    CHECK(field(t, "\"blocks\"", "asked") == 23 && field(t, "\"blocks\"", "freed") == 21);
    CHECK(field(t, "\"blocks\":{", "live") == 2);
    long long rows = 0, bytes = 0;
    for (const char *row = strstr(t, "\"sizes\""); row && *row != ']'; row++) {
        if (strncmp(row, "{\"le\"", 5) == 0) {
            rows += field(row, "{", "blocks");
            bytes += field(row, "{", "asked");
        }
    }
    CHECK(rows == 23 && bytes == 1000 + 105 + 5140 + 4633);
    const char *engine = "\"engine\"";
    CHECK(field(t, engine, "mapped") == field(t, "\"bytes\"", "live_usable") + field(t, engine, "hole_bytes") +
                                            field(t, engine, "slack") + field(t, engine, "bookkeeping"));
    return 0;
}
