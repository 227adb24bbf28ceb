/* what: thread_local destructors free blocks of ended threads and of their own, and allocate, after the thread's function returned.
 * mode: preload
 * flags: -pthread
 */
#include "pit.h"
#include <deque>
#include <mutex>
#include <string>

static std::mutex lock;
static std::deque<std::string *> handed;

struct Late {
    std::deque<std::string *> mine;
    ~Late() {
        for (auto *s : mine) {
            delete s;
        }
        std::string *kept = new std::string(300, 'k');
        std::lock_guard<std::mutex> hold(lock);
        handed.push_back(kept);
        if (handed.size() > 5) {
            delete handed.front();
            handed.pop_front();
        }
    }
};

static thread_local Late late;

static void *thread(void *) {
    for (int i = 0; i < 50; i++) {
        late.mine.push_back(new std::string((size_t)i * 20, 'l'));
    }
    return nullptr;
}

int main() {
    for (int i = 0; i < 500; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, nullptr, thread, nullptr) == 0);
        CHECK(pthread_join(t, nullptr) == 0);
    }
    thread(nullptr);
    CHECK(handed.size() == 5);
    for (auto *s : handed) {
        CHECK(*s == std::string(300, 'k'));
    }
    return 0;
}
