/* what: static objects may allocate in their constructors and free in their destructors, after main and after exit
 *       handlers.
 * stdout: ^destroyed 3$
 */
#include "check.h"
#include <cstdio>
#include <string>
#include <vector>

static int destroyed;

struct Holder {
    std::vector<std::string> strings;
    Holder() {
        for (int i = 0; i < 500; i++) {
            strings.push_back(std::string(200, 'q'));
        }
    }
    ~Holder() {
        CHECK(strings.size() >= 500 && strings[499] == std::string(200, 'q'));
        strings.resize(1000, std::string(300, 'r'));
        if (++destroyed == 3) {
            printf("destroyed %d\n", destroyed);
        }
    }
};

static Holder first, second;

int main() {
    static Holder third;
    atexit([] { free(malloc(100)); });
    return 0;
}
