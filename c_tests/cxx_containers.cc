/* what: an ordinary C++ program (containers, strings, exceptions, threads, streams) prints what it should.
 * flags: -pthread
 * stdout: ^499500 1000 17$
 * mode: both
 */
#include "check.h"
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

int main() {
    std::map<std::string, std::shared_ptr<int>> numbers;
    for (int i = 0; i < 1000; i++) {
        std::ostringstream name;
        name << "a name that is too long for the short form " << i;
        numbers[name.str()] = std::make_shared<int>(i);
    }
    long sum = 0;
    for (auto &pair : numbers) {
        sum += *pair.second;
    }
    int caught = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 17; t++) {
        threads.emplace_back([&caught, t] {
            try {
                throw std::runtime_error(std::string(1000, (char)('a' + t)));
            } catch (const std::exception &e) {
                CHECK(strlen(e.what()) == 1000);
                __atomic_fetch_add(&caught, 1, __ATOMIC_RELAXED);
            }
        });
    }
    for (auto &t : threads) {
        t.join();
    }
    std::cout << sum << ' ' << numbers.size() << ' ' << caught << std::endl;
    return 0;
}
