/* what: a block of four times the machine's memory is refused by the kernel's overcommit rule, as for the C library, and not promised by us.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    char mode = '?';
    int fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY);
    CHECK(fd >= 0 && read(fd, &mode, 1) == 1);
    close(fd);
    if (mode == '1') {
        return 0;
    }
    size_t total = 0, kib;
    char line[200];
    FILE *f = fopen("/proc/meminfo", "r");
    CHECK(f);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "MemTotal: %zu", &kib) == 1 || sscanf(line, "SwapTotal: %zu", &kib) == 1) {
            total += kib * 1024;
        }
    }
    fclose(f);
    CHECK(total > 0);
    errno = 0;
    CHECK(get(total * 4) == NULL);
    CHECK_ERRNO(ENOMEM);
    errno = 0;
    CHECK(get_zeroed(4, total) == NULL);
    CHECK_ERRNO(ENOMEM);
    void *p = get(100);
    CHECK(resize(p, total * 4) == NULL);
    free(p);
    p = get(total / 16);
    CHECK(p);
    free(p);
    return 0;
}
