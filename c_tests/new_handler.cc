/* what: a new_handler is called where operator new cannot serve, as often as it takes, and may throw.
 * mode: both
 */
#include "check.h"
#include <new>

static int calls;
static void *volatile kept; // so that no call is reasoned away

static void three_times() {
    if (++calls == 3) {
        std::set_new_handler(nullptr);
    }
}

static void throwing() {
    calls++;
    throw std::bad_alloc();
}

int main() {
    size_t size = unknown(PTRDIFF_MAX);
    std::set_new_handler(three_times);
    bool thrown = false;
    try {
        kept = ::operator new(size);
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown && calls == 3);

    calls = 0;
    std::set_new_handler(three_times);
    CHECK(::operator new(size, std::nothrow) == nullptr);
    CHECK(calls == 3);

    calls = 0;
    std::set_new_handler(throwing);
    CHECK(::operator new[](size, std::nothrow) == nullptr);
    CHECK(calls == 1);
    thrown = false;
    try {
        kept = ::operator new(size, std::align_val_t{128});
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown && calls == 2);
    return 0;
}
