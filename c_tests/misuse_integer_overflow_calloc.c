/* what: a product that wraps to a small number: calloc and reallocarray must not give a small block.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"

int main(void) {
    void *p = get_zeroed(((size_t)1 << 60) + 1, 16), *q = get(10);
    void *r = opaque(reallocarray(q, unknown(((size_t)1 << 60) + 1), 16));
    verdict(p == NULL && r == NULL ? "HARMLESS" : "EXPLOITABLE");
}
