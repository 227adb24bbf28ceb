/* what: with vm.overcommit_memory = 2: more than the commit limit leaves is NULL with ENOMEM, half of it can be had again and again.
 * mode: preload
 */
#include "pit.h"

static long meminfo_kib(const char *name) {
    char line[200];
    long kib = -1;
    size_t n = strlen(name);
    FILE *f = fopen("/proc/meminfo", "r");
    CHECK(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, name, n) == 0 && line[n] == ':') {
            kib = strtol(line + n + 1, NULL, 10);
        }
    }
    fclose(f);
    return kib;
}

/* The kernel's setting is the machine's, so this runs only where it is set already: nobody else is to suffer for a test. */
int main(void) {
    char mode = '?';
    int fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY);
    CHECK(fd >= 0 && read(fd, &mode, 1) == 1);
    close(fd);
    if (mode != '2') {
        CHECK(write(1, "vm.overcommit_memory is not 2 here\n", 35) == 35);
        return 0;
    }
    long left = meminfo_kib("CommitLimit") - meminfo_kib("Committed_AS");
    CHECK(left > 0);
    errno = 0;
    CHECK(get((size_t)(left + (256 << 10)) * 1024) == NULL);
    CHECK_ERRNO(ENOMEM);
    void *p = get(1000);
    CHECK(p && resize(p, (size_t)(left + (256 << 10)) * 1024) == NULL);
    CHECK_ERRNO(ENOMEM);
    free(p);
    /* Half of the rest can be had, as nothing large is reserved; what was refused leaves nothing behind. */
    for (int i = 0; i < 20; i++) {
        void *half = get((size_t)left / 2 * 1024);
        CHECK(half);
        free(half);
        CHECK(get((size_t)(left + (256 << 10)) * 1024) == NULL);
    }
    exercise(1, 5000);
    return 0;
}
