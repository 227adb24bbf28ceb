/* what: a program's own operator new and delete are the ones that are used.
 */
#include "check.h"
#include <new>
#include <string>
#include <vector>

static long made, gone;

void *operator new(std::size_t n) {
    made++;
    void *p = malloc(n + 1);
    if (!p) {
        throw std::bad_alloc();
    }
    return p;
}
void operator delete(void *p) noexcept {
    gone += p != nullptr;
    free(p);
}
void operator delete(void *p, std::size_t) noexcept {
    gone += p != nullptr;
    free(p);
}

int main() {
    {
        std::vector<std::string> v;
        for (int i = 0; i < 1000; i++) {
            v.push_back(std::string((size_t)i, 'x'));
        }
        CHECK(made > 900);
    }
    CHECK(made == gone);
    return 0;
}
