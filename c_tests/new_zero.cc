/* what: operator new of 0 bytes gives a block of its own.
 */
#include "check.h"
#include <new>

int main() {
    void *a = ::operator new(unknown(0));
    void *b = ::operator new(unknown(0));
    char *c = new char[unknown(0)];
    CHECK(a && b && c && a != b && a != c && b != c);
    ::operator delete(a);
    ::operator delete(b);
    delete[] c;
    return 0;
}
