/* what: as hard_other_operators, for guarded blocks.
 * plugin: other_operators
 * mode: preload
 * plain: no
 * env: MEMS_GUARD=sample:1
 * stderr-not: block of
 */
#include "other_operators.h"
