/* what: the nothrow forms of operator new give NULL where they cannot serve.
 * mode: both
 */
#include "check.h"
#include <new>

int main() {
    const size_t sizes[] = {(size_t)PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 64, SIZE_MAX};
    for (size_t size : sizes) {
        size = unknown(size);
        CHECK(::operator new(size, std::nothrow) == nullptr);
        CHECK(::operator new[](size, std::nothrow) == nullptr);
        if (size > SIZE_MAX - 8192) {
            continue; // libstdc++ 12 rounds such a size up past 0 before it asks
        }
        CHECK(::operator new(size, std::align_val_t{64}, std::nothrow) == nullptr);
        CHECK(::operator new[](size, std::align_val_t{4096}, std::nothrow) == nullptr);
    }
    char *p = new (std::nothrow) char[100];
    CHECK(p != nullptr);
    delete[] p;
    return 0;
}
