/* what: mems_print_stats prints every segment of a large system, with and without memory for the text.
 * mode: both
 * flags: -Wl,--unresolved-symbols=ignore-all
 */
#include "check.h"
#include "mems.h"
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/mman.h>

enum { REGIONS = 3000 };

static int same(const char *a, const char *b) {
    int fa = open(a, O_RDONLY), fb = open(b, O_RDONLY);
    struct stat sa, sb;
    CHECK(fa >= 0 && fb >= 0 && fstat(fa, &sa) == 0 && fstat(fb, &sb) == 0);
    char x[4096], y[4096];
    for (;;) {
        ssize_t nx = read(fa, x, sizeof x), ny = read(fb, y, sizeof y);
        CHECK(nx >= 0 && ny >= 0);
        if (nx != ny || memcmp(x, y, (size_t)nx) != 0) {
            return 0;
        }
        if (nx == 0) {
            close(fa);
            close(fb);
            return 1;
        }
    }
}

int main(void) {
    FILE *expected = fopen("expected", "w");
    CHECK(expected != NULL);
    CHECK(freopen("stdout", "w", stdout) != NULL);
    mems_init();
    fprintf(expected, "----- MeMS SYSTEM STATS -----\n");
    for (size_t i = 0; i < REGIONS; i++) {
        char *a = mems_malloc(1000), *b = mems_malloc(3000);
        CHECK(a == (char *)(1000 + i * 4096) && b == a + 1000);
        size_t at = (size_t)a;
        fprintf(expected, "MAIN[%zu:%zu]-> P[%zu:%zu] <-> P[%zu:%zu] <-> H[%zu:%zu] <-> NULL\n", at, at + 4095, at,
                at + 999, at + 1000, at + 3999, at + 4000, at + 4095);
    }
    fprintf(expected, "Pages used:\t%d\nSpace unused:\t%d\nMain Chain Length:\t%d\nSub-chain Length array: [", REGIONS,
            REGIONS * 96, REGIONS);
    for (size_t i = 0; i < REGIONS; i++) {
        fprintf(expected, "3, ");
    }
    fprintf(expected, "]\n-----------------------------\n");
    fclose(expected);
    mems_print_stats();
    fflush(stdout);
    CHECK(same("stdout", "expected"));
    rlim_t now = (rlim_t)status_kib("VmSize") * 1024;
    struct rlimit limit = {now, now};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    CHECK(ftruncate(1, 0) == 0);
    rewind(stdout);
    mems_print_stats();
    fflush(stdout);
    CHECK(same("stdout", "expected"));
    return 0;
}
