/* what: malloc works before any constructor of MeMS: in preinit functions and in constructors of libraries that
 *       load before it.
 * links: early_malloc
 * mode: both
 */
#include "check.h"

extern char *made_early;
extern int early_blocks;
static char *made_in_preinit;

static void preinit(int argc, char **argv, char **env) {
    (void)argc, (void)argv, (void)env;
    made_in_preinit = malloc(500);
    memset(made_in_preinit, 6, 500);
}
__attribute__((section(".preinit_array"), used)) static void (*run_first)(int, char **, char **) = preinit;

int main(void) {
    CHECK(made_in_preinit && holds_only(made_in_preinit, 6, 500));
    CHECK(early_blocks == 1000);
    CHECK(made_early && holds_only(made_early, 9, 2000));
    made_early = realloc(made_early, 50000);
    CHECK(made_early && holds_only(made_early, 9, 2000));
    free(made_early);
    free(made_in_preinit);
    return 0;
}
