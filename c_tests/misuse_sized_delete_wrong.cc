/* what: a sized operator delete names a size that is not the block's: a small one freed as large, a large one as small.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"
#include <new>

int main() {
    warm_up(48);
    void *p = opaque(::operator new(48));
    ::operator delete(p, unknown(4000));
    void *q = opaque(::operator new(4000));
    ::operator delete(q, unknown(48));
    take_stock(48, nullptr);
    take_stock_and_end(4000, nullptr);
}
