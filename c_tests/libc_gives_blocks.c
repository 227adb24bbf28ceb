/* what: blocks that the C library gives out (strdup, asprintf, getline, realpath, scandir …) are the program's to
 *       resize and free.
 * mode: both
 */
#include "check.h"
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <wchar.h>

static void done(void *p) {
    CHECK(p != NULL);
    CHECK(malloc_usable_size(p) > 0);
    p = realloc(p, 5000);
    CHECK(p != NULL);
    free(p);
}

int main(void) {
    done(strdup("twelve monkeys"));
    done(strndup("twelve monkeys", 6));
    done(wcsdup(L"wide"));
    char *text = NULL;
    CHECK(asprintf(&text, "%d-%s", 42, "mems") == 7);
    done(text);
    done(realpath("/proc/self", NULL));
    done(getcwd(NULL, 0));
    done(get_current_dir_name());
    FILE *file = fopen("/proc/self/maps", "r");
    CHECK(file != NULL);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) > 0) {
        CHECK(malloc_usable_size(line) >= room);
    }
    done(line);
    fclose(file);
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    CHECK(memory != NULL);
    for (int i = 0; i < 10000; i++) {
        fprintf(memory, "%d ", i);
    }
    fclose(memory);
    done(text);
    struct dirent **entries = NULL;
    int count = scandir("/", &entries, NULL, alphasort);
    CHECK(count > 2);
    for (int i = 0; i < count; i++) {
        done(entries[i]);
    }
    done(entries);
    return 0;
}
