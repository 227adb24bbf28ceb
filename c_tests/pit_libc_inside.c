/* what: blocks that the C library allocates for the program (strdup, getline, asprintf, realpath, getcwd, memstream, scandir, regcomp, qsort, setlocale, iconv) are freed by free.
 * mode: preload
 */
#include "pit.h"
#include <dirent.h>
#include <fnmatch.h>
#include <glob.h>
#include <iconv.h>
#include <locale.h>
#include <regex.h>
#include <wchar.h>

static int by_value(const void *a, const void *b) {
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

int main(void) {
    char *s = strdup("a string"), *t = NULL, *u;
    CHECK(s && strcmp(s, "a string") == 0);
    CHECK(asprintf(&t, "%s %0*d", s, 5000, 7) == 5009);
    u = strndup(t, 4000);
    CHECK(strlen(u) == 4000);
    free(s);
    free(t);
    free(u);
    CHECK((s = realpath("/proc/self/../self/exe", NULL)));
    free(s);
    CHECK((s = getcwd(NULL, 0)));
    free(s);
    FILE *f = fopen("/proc/self/maps", "r");
    CHECK(f);
    char *line = NULL;
    size_t room = 0;
    int lines = 0;
    while (getline(&line, &room, f) > 0) {
        lines++;
    }
    CHECK(lines > 5);
    free(line);
    fclose(f);
    struct dirent **names;
    int n = scandir("/proc/self", &names, NULL, alphasort);
    CHECK(n > 10);
    for (int i = 0; i < n; i++) {
        free(names[i]);
    }
    free(names);
    regex_t re;
    CHECK(regcomp(&re, "^(a|b)*c+[0-9]{2,7}$", REG_EXTENDED) == 0);
    CHECK(regexec(&re, "abababc123", 0, NULL, 0) == 0);
    regfree(&re);
    glob_t g;
    CHECK(glob("/proc/self/m*", 0, NULL, &g) == 0 && g.gl_pathc > 1);
    globfree(&g);
    int *numbers = get(100000 * sizeof(int));
    for (int i = 0; i < 100000; i++) {
        numbers[i] = (int)((unsigned)i * 2654435761u >> 3);
    }
    qsort(numbers, 100000, sizeof(int), by_value);
    for (int i = 1; i < 100000; i++) {
        CHECK(numbers[i - 1] <= numbers[i]);
    }
    free(numbers);
    CHECK(setlocale(LC_ALL, "C.UTF-8"));
    wchar_t *w = wcsdup(L"w\u00e9");
    CHECK(wcslen(w) == 2);
    free(w);
    iconv_t cd = iconv_open("UTF-8", "ISO-8859-15");
    if (cd != (iconv_t)-1) {
        char in[] = "\xa4", out[8], *from = in, *to = out;
        size_t left = 1, space = 8;
        CHECK(iconv(cd, &from, &left, &to, &space) == 0 && 8 - space == 3);
        iconv_close(cd);
    }
    CHECK(setenv("A_VARIABLE", "some value", 1) == 0 && unsetenv("A_VARIABLE") == 0);
    return 0;
}
