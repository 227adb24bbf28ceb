/* what: operator new throws std::bad_alloc where it cannot serve, and the program goes on.
 * mode: both
 */
#include "check.h"
#include <new>
#include <vector>

static void *volatile kept; // so that no call is reasoned away

template <class F> static bool throws(F f) {
    try {
        f();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

int main() {
    const size_t sizes[] = {(size_t)PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 64, SIZE_MAX};
    for (size_t size : sizes) {
        size = unknown(size);
        CHECK(throws([=] { kept = ::operator new(size); }));
        CHECK(throws([=] { kept = ::operator new[](size); }));
        if (size > SIZE_MAX - 8192) {
            continue; // libstdc++ 12 rounds such a size up past 0 before it asks
        }
        CHECK(throws([=] { kept = ::operator new(size, std::align_val_t{64}); }));
        CHECK(throws([=] { kept = ::operator new[](size, std::align_val_t{4096}); }));
    }
    CHECK(throws([] { std::vector<char> v; v.resize(v.max_size()); }));
    std::vector<int> v(1000, 7);
    CHECK(v[999] == 7);
    return 0;
}
