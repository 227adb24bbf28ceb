/* what: live blocks never share a byte, over a long random history of all sizes.
 */
#include "check.h"

#define COUNT 4000

static struct {
    unsigned char *at;
    size_t size;
    unsigned char mark;
} live[COUNT];

static uint64_t state = 88172645463325252u;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t any_size(void) {
    size_t top = (size_t)1 << (next() % 16);
    return next() % 200 == 0 ? next() % (1 << 20) : next() % (2 * top);
}

int main(void) {
    for (int round = 0; round < 200000; round++) {
        int i = (int)(next() % COUNT);
        if (live[i].at) {
            CHECK(holds_only(live[i].at, live[i].mark, live[i].size));
            if (next() % 4 == 0) {
                size_t size = any_size() + 1;
                unsigned char *at = realloc(live[i].at, size);
                CHECK(at != NULL);
                CHECK(holds_only(at, live[i].mark, size < live[i].size ? size : live[i].size));
                memset(at, live[i].mark, size);
                live[i].at = at;
                live[i].size = size;
                continue;
            }
            free(live[i].at);
            live[i].at = NULL;
            continue;
        }
        live[i].size = any_size();
        live[i].mark = (unsigned char)next();
        live[i].at = next() % 8 ? malloc(live[i].size) : aligned_alloc(1u << (next() % 13), live[i].size);
        CHECK(live[i].at != NULL);
        memset(live[i].at, live[i].mark, live[i].size);
    }
    for (int i = 0; i < COUNT; i++) {
        if (live[i].at) {
            CHECK(holds_only(live[i].at, live[i].mark, live[i].size));
            free(live[i].at);
        }
    }
    return 0;
}
