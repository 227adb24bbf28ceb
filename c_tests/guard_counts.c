/* what: guarded blocks are counted like all others: calls, blocks, bytes, live blocks.
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:2
 * env: MEMS_STATS_FORMAT=json
 * dump: yes
 * stderr: "calls":\{"malloc":1003,"calloc":50,"realloc":20,"reallocarray":0,"memalign":7,.*"free":1050,
 * stderr: "blocks":\{"asked":1080,"freed":1070,"live":10\}
 */
#include "counts.h"
