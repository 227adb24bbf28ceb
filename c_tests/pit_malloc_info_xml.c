/* what: malloc_info writes a well-formed <malloc> element and refuses options that do not exist; malloc_stats and malloc_trim may be called at any time.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    char *text = NULL;
    size_t size = 0;
    void *keep = get(5000);
    FILE *f = open_memstream(&text, &size);
    CHECK(f);
    CHECK(malloc_info(0, f) == 0);
    CHECK(fclose(f) == 0);
    CHECK(size > 20 && strncmp(text, "<malloc version=", 16) == 0);
    CHECK(strstr(text, "</malloc>"));
    int open = 0;
    for (char *at = text; *at; at++) {
        open += (*at == '<') - (*at == '>');
        CHECK(open == 0 || open == 1);
    }
    CHECK(open == 0);
    free(text);
    f = fopen("/dev/null", "w");
    CHECK(f);
    CHECK(malloc_info(1, f) != 0);
    fclose(f);
    malloc_stats();
    int trimmed = malloc_trim(0);
    CHECK(trimmed == 0 || trimmed == 1);
    memset(keep, 1, 5000);
    free(keep);
    malloc_trim(1 << 20);
    exercise(1, 2000);
    return 0;
}
