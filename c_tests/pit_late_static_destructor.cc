/* what: static objects' destructors free what they hold, in reverse order, and may allocate.
 * mode: preload
 */
#include "pit.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

struct Holder {
    std::map<int, std::string> words;
    std::vector<std::unique_ptr<int[]>> blocks;
    explicit Holder(int n) {
        for (int i = 0; i < n; i++) {
            words[i] = std::string((size_t)i, 'a');
            blocks.emplace_back(new int[(size_t)i + 1]);
        }
    }
    ~Holder() {
        std::string report;
        for (auto &w : words) {
            report += w.second;
        }
        CHECK(report.size() == words.size() * (words.size() - 1) / 2);
    }
};

static Holder one(500);
static Holder two(1000);

static Holder &on_first_use() {
    static Holder three(200);
    return three;
}

int main() {
    CHECK(on_first_use().words.size() == 200);
    static auto *leaked = new Holder(10);
    CHECK(leaked->blocks.size() == 10);
    return 0;
}
