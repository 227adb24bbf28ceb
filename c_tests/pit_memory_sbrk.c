/* what: the program moves the break itself and maps pages of its own: the heap neither uses them nor is disturbed.
 * mode: preload
 */
#include "pit.h"

int main(void) {
    unsigned char *mine[50];
    for (int i = 0; i < 50; i++) {
        exercise((unsigned long)i, 200);
        mine[i] = sbrk(5000);
        CHECK(mine[i] != (void *)-1);
        memset(mine[i], i, 5000);
        unsigned char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(page != MAP_FAILED);
        memset(page, 0xee, 8192);
        free(get(300000));
        CHECK(holds_only(page, 0xee, 8192));
        /* Its second page is left behind: it may lie right beside the heap's own mappings. */
        CHECK(munmap(page, 4096) == 0);
    }
    void *p = get(40 << 20);
    free(p);
    for (int i = 0; i < 50; i++) {
        CHECK(holds_only(mine[i], i, 5000));
    }
    return 0;
}
