/* what: hardened, where an object has operators new and delete of its own, whose blocks come from malloc and whose calls
 *       its neighbours' go past, a block of the one that is freed by the other is no error.
 * plugin: other_operators
 * mode: preload
 * plain: no
 * env: MEMS_HARDEN=1
 * stderr-not: block of
 */
#include "other_operators.h"
