/* what: RLIMIT_AS: NULL and ENOMEM at the limit, blocks untouched, and all of the memory again after free.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    size_t room = 24 << 20;
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = (rlim_t)status_kib("VmSize") * 1024 + room;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    size_t sizes[] = {100, 5000, 100000, 1 << 20};
    for (int round = 0; round < 8; round++) {
        size_t size = sizes[round % 4];
        void **last = NULL;
        size_t bytes = 0;
        for (;;) {
            errno = 0;
            void **next = round & 4 ? get_zeroed(size, 1) : get(size);
            if (!next) {
                CHECK_ERRNO(ENOMEM);
                break;
            }
            *next = last;
            last = next;
            bytes += size;
        }
        /* At least five eighths of the room, whatever was kept from the round before. */
        CHECK(bytes >= room / 8 * 5);
        errno = 0;
        CHECK(resize(last, room * 2) == NULL);
        CHECK_ERRNO(ENOMEM);
        CHECK(get((size_t)1 << 40) == NULL);
        while (last) {
            void **next = *last;
            free(last);
            last = next;
        }
        malloc_trim(0);
    }
    return 0;
}
