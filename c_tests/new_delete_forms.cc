/* what: every standard form of operator new works with every matching form of operator delete.
 * mode: both
 */
#include "check.h"
#include <new>

static void aligned(void *p, size_t alignment) {
    CHECK(p != nullptr);
    CHECK(ALIGNED(p, alignment));
    memset(p, 1, 100);
}

int main() {
    using std::align_val_t;
    using std::nothrow;
    for (int round = 0; round < 1000; round++) {
        void *p = ::operator new(100);
        aligned(p, 16);
        ::operator delete(p);
        p = ::operator new[](100);
        aligned(p, 16);
        ::operator delete[](p);
        p = ::operator new(100, nothrow);
        aligned(p, 16);
        ::operator delete(p, nothrow);
        p = ::operator new[](100, nothrow);
        aligned(p, 16);
        ::operator delete[](p, nothrow);
        p = ::operator new(100);
        ::operator delete(p, (std::size_t)100);
        p = ::operator new[](100);
        ::operator delete[](p, (std::size_t)100);
        for (std::size_t a = 1; a <= 8192; a *= 2) {
            align_val_t to{a};
            p = ::operator new(100, to);
            aligned(p, a);
            ::operator delete(p, to);
            p = ::operator new[](100, to);
            aligned(p, a);
            ::operator delete[](p, to);
            p = ::operator new(100, to, nothrow);
            aligned(p, a);
            ::operator delete(p, to, nothrow);
            p = ::operator new[](100, to, nothrow);
            aligned(p, a);
            ::operator delete[](p, to, nothrow);
            p = ::operator new(100, to);
            ::operator delete(p, (std::size_t)100, to);
            p = ::operator new[](100, to);
            ::operator delete[](p, (std::size_t)100, to);
        }
    }
    ::operator delete(nullptr);
    ::operator delete[](nullptr);
    ::operator delete(nullptr, (std::size_t)8);
    ::operator delete(nullptr, std::align_val_t{64});
    return 0;
}
