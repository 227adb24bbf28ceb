/* what: plugins that are loaded and closed in a loop, often to the same address: each keeps its own sites, in both exact modes,
 *       and the record names the closed ones.
 * plain: no
 * plugin: site_a
 * plugin: site_b
 */
#include "record.h"
#include <dlfcn.h>

static void *use(const char *name, size_t size) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s.so", getenv("PLUGINS"), name);
    void *library = dlopen(path, RTLD_NOW);
    CHECK(library != NULL);
    void *(*take)(size_t) = (void *(*)(size_t))dlsym(library, "plugin_take");
    CHECK(take != NULL);
    void *p = take(size);
    CHECK(p != NULL && dlclose(library) == 0);
    return p;
}

static long long in_module(const struct record *record, const char *name, int column) {
    long long sum = 0;
    for (size_t i = 0; i < record->site_count; i++) {
        long long node = record->sites[i][NODE];
        if (node && record->nodes[node][2] >= 0 && strstr(record->modules[record->nodes[node][2]].path, name)) {
            sum += record->sites[i][column];
        }
    }
    return sum;
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        for (int round = 0; round < 20; round++) {
            CHECK(use("site_a", 100) != NULL);
            free(use("site_b", 3000));
        }
        return 0;
    }
    static struct record record;
    const char *modes[2] = {"sites", "stacks"};
    for (int i = 0; i < 2; i++) {
        run_recorded(&record, "child", modes[i]);
        check_totals(&record);
        CHECK(in_module(&record, "site_a", CALLS) == 40 && in_module(&record, "site_a", LIVE_BLOCKS) == 20);
        CHECK(in_module(&record, "site_a", ASKED) == 20 * 110 && in_module(&record, "site_a", MOST) >= 100);
        CHECK(in_module(&record, "site_b", CALLS) == 40 && in_module(&record, "site_b", LIVE_BLOCKS) == 0);
        CHECK(in_module(&record, "site_b", ASKED) == 20 * 3020);
        int closed = 0;
        for (size_t m = 0; m < record.module_count; m++) {
            closed += strstr(record.modules[m].path, "site_") && record.modules[m].to > 0;
        }
        // Each is one module as long as it comes to the same place.
        CHECK(closed == 2 && field(record.text, "\"mems-profile/1\"", "generation") >= 39);
    }
    return 0;
}
