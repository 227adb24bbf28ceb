/* what: every munmap is refused (as at vm.max_map_count): free keeps errno and succeeds, the memory is used again, calloc stays zero.
 * mode: preload
 */
#include "seccomp.h"

int main(void) {
    static const int listed[] = {SYS_munmap, -1};
    void *warm = get(4 << 20);
    free(warm);
    filter_calls(listed, REFUSED_ENOMEM, SECCOMP_RET_ALLOW);
    for (int i = 0; i < 300; i++) {
        unsigned char *p = get((size_t)4 << 20);
        CHECK(p);
        memset(p, 0xaa, (size_t)4 << 20);
        unsigned char *small[200];
        for (int k = 0; k < 200; k++) {
            small[k] = get((size_t)k * 50 + 1);
            memset(small[k], 0xbb, (size_t)k * 50 + 1);
        }
        errno = 77;
        free(p);
        for (int k = 0; k < 200; k++) {
            free(small[k]);
        }
        CHECK_ERRNO(77);
        p = get_zeroed(1, (size_t)3 << 20);
        CHECK(p && holds_only(p, 0, (size_t)3 << 20));
        memset(p, 0xcc, (size_t)3 << 20);
        p = resize(p, 1 << 20);
        CHECK(p && holds_only(p, 0xcc, 1 << 20));
        free(p);
    }
    CHECK(status_kib("VmRSS") < 64 << 10);
    CHECK(status_kib("VmSize") < 256 << 10);
    return 0;
}
