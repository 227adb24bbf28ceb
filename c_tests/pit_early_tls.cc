/* what: C++ thread_local initialisers, in main and in new threads, are the first to allocate there.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"
#include <string>
#include <vector>

struct Loaded {
    std::vector<std::string> words;
    Loaded() {
        for (int i = 0; i < 100; i++) {
            words.push_back(std::string((size_t)i * 10, 'x'));
        }
    }
    ~Loaded() {
        CHECK(words.size() == 101);
    }
};

static thread_local Loaded loaded;

static void *thread(void *) {
    loaded.words.push_back("one more");
    CHECK(loaded.words[99].size() == 990);
    return nullptr;
}

int main() {
    pthread_t t[20];
    for (auto &one : t) {
        CHECK(pthread_create(&one, nullptr, thread, nullptr) == 0);
    }
    for (auto one : t) {
        CHECK(pthread_join(one, nullptr) == 0);
    }
    thread(nullptr);
    return 0;
}
