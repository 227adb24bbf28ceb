/* what: guarded blocks are counted like all others: calls, blocks, bytes, live blocks.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:2
 * env: MEMS_STATS_FORMAT=json
 * dump: yes
 * stderr: "calls":\{"malloc":1003,"calloc":50,"realloc":20,"reallocarray":0,"memalign":7,.*"free":1050,
 * stderr: "blocks":\{"asked":1080,"freed":1070,"live":10\}
 */
#include "pit.h"

#include <fcntl.h>

int main(void) {
    static void *p[1000];
    for (int i = 0; i < 1000; i++) {
        p[i] = get((size_t)i * 37);
    }
    for (int i = 0; i < 20; i++) {
        p[i] = resize(p[i], (size_t)i * 3000 + 1);
    }
    for (int i = 0; i < 1000; i++) {
        free(p[i]);
    }
    for (int i = 0; i < 50; i++) {
        p[i] = get_zeroed(3, 100);
    }
    for (int i = 0; i < 7; i++) {
        p[50 + i] = opaque(memalign(64, 1000));
    }
    for (int i = 57; i < 60; i++) {
        p[i] = get(1);
    }
    for (int i = 0; i < 50; i++) {
        free(p[i]);
    }
    return 0;
}
