/* Tells whether the library named by argv[1] really serves this process's malloc family when it is preloaded.
 *
 * Two proofs, since the loader only warns about a library that it cannot take: the names resolve into that file, and
 * the C library's own malloc (asked through its mallinfo2, which no peer may have replaced for it) hands out nothing
 * while a thousand blocks are taken. Exit 0 and silence: it serves. Exit 1 and one line: it does not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int serves(const char *name, const char *library) {
    void *symbol = dlsym(RTLD_DEFAULT, name);
    Dl_info info;
    char wanted[PATH_MAX], found[PATH_MAX];
    if (symbol == NULL || dladdr(symbol, &info) == 0) return 0;
    if (realpath(library, wanted) == NULL || realpath(info.dli_fname, found) == NULL) return 0;
    return strcmp(wanted, found) == 0;
}

int main(int argc, char **argv) {
    static const char *const names[] = {"malloc", "free", "calloc", "realloc", "posix_memalign", "aligned_alloc"};
    if (argc != 2) return 2;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!serves(names[i], argv[1])) {
            fprintf(stderr, "peer-check: %s does not come from %s\n", names[i], argv[1]);
            return 1;
        }
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    struct mallinfo2 (*ask)(void) = libc == NULL ? NULL : (struct mallinfo2(*)(void))dlsym(libc, "mallinfo2");
    if (ask == NULL) return 0;
    size_t before = ask().uordblks;
    for (size_t i = 0; i < 1000; i++) {
        volatile char *block = malloc(100 + i);
        if (block == NULL) return 1;
        block[0] = 1;
    }
    if (ask().uordblks != before) {
        fprintf(stderr, "peer-check: the C library served blocks while %s was preloaded\n", argv[1]);
        return 1;
    }
    return 0;
}
