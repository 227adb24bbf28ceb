/* what: realloc keeps min(old, new) bytes, growing and shrinking over every step of size.
 * mode: both
 */
#include "check.h"

static const size_t steps[] = {1,    15,   16,   17,    40,    100,    250,    500,     1000,    1023,     1025,
                               2048, 4095, 4097, 10000, 32768, 32769,  65536,  100000,  262144,  1000000,  1 << 20,
                               3 << 20, 9 << 20, 33 << 20};
#define STEPS (sizeof steps / sizeof *steps)

static unsigned char expected(size_t i) { return (unsigned char)(i * 31 + (i >> 8)); }

int main(void) {
    for (size_t from = 0; from < STEPS; from++) {
        for (size_t to = 0; to < STEPS; to++) {
            if (steps[from] > (1 << 20) && to % 5) {
                continue;
            }
            unsigned char *p = malloc(steps[from]);
            CHECK(p != NULL);
            for (size_t i = 0; i < steps[from]; i++) {
                p[i] = expected(i);
            }
            p = realloc(p, steps[to]);
            CHECK(p != NULL && ALIGNED(p, 16));
            size_t kept = steps[from] < steps[to] ? steps[from] : steps[to];
            for (size_t i = 0; i < kept; i++) {
                CHECK(p[i] == expected(i));
            }
            memset(p, 1, steps[to]);
            free(p);
        }
    }
    return 0;
}
