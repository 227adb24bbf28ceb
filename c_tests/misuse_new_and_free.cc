/* what: blocks of operator new given to free, and blocks of malloc given to operator delete.
 * stdout: ^HARMLESS$
 * stderr-not: ^mems: 
 * plain: no
 */
#include "misuse.h"
#include <new>

int main() {
    warm_up(48);
    free(opaque(::operator new(48)));
    ::operator delete(get(48));
    free(opaque(::operator new[](4000)));
    ::operator delete[](get(100));
    take_stock(48, nullptr);
    take_stock_and_end(4000, nullptr);
}
