/* what: thread_local objects with destructors allocate and free while their threads end.
 * flags: -pthread
 * mode: both
 */
#include "check.h"
#include <string>
#include <thread>
#include <vector>

static int gone;

struct Late {
    std::vector<std::string> held;
    ~Late() {
        CHECK(!held.empty());
        for (auto &s : held) {
            CHECK(s == std::string(100, 'z'));
        }
        std::vector<std::string> more(50, std::string(400, 'y'));
        held.clear();
        held.shrink_to_fit();
        __atomic_fetch_add(&gone, 1, __ATOMIC_RELAXED);
    }
};

static thread_local Late late;

int main() {
    for (int round = 0; round < 50; round++) {
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; i++) {
            threads.emplace_back([] { late.held.assign(20, std::string(100, 'z')); });
        }
        for (auto &t : threads) {
            t.join();
        }
    }
    CHECK(gone == 400);
    late.held.push_back(std::string(100, 'z'));
    return 0;
}
