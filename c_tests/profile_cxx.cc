/* what: operators new and delete count for the code that names them, in every form; exceptions pass; a failed new is no call.
 * plain: no
 */
#include "record.h"
#include <new>
#include <stdexcept>
#include <string>

struct alignas(128) Wide {
    char bytes[300];
};

// Through memory, so that the compiler keeps the pairs.
static long *volatile held;
static char *volatile kept;
static Wide *volatile broad;

static CALLER void single() {
    for (int i = 0; i < 40; i++) {
        held = new long(i);
        delete held;
    }
}

static CALLER char *array() {
    kept = new char[1000];
    return kept;
}

static CALLER void wide() {
    broad = new Wide;
    delete broad;
    ::operator delete(::operator new(77, std::nothrow), std::nothrow);
}

static CALLER int throws(int depth) {
    std::string text(200, 'x');
    if (depth == 0) {
        throw std::runtime_error(text);
    }
    return throws(depth - 1) + 1;
}

static CALLER bool too_much() {
    try {
        ::operator delete(::operator new((size_t)PTRDIFF_MAX - unknown(4096)));
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

int main(int argc, char **) {
    if (argc > 1) {
        single();
        CHECK(array() != nullptr);
        wide();
        int caught = 0;
        for (int i = 0; i < 20; i++) {
            try {
                throws(i);
            } catch (const std::runtime_error &error) {
                caught += std::string(error.what()).size() == 200;
            }
        }
        CHECK(caught == 20 && too_much());
        return 0;
    }
    static struct record record;
    const char *modes[2] = {"sites", "stacks"};
    for (const char *mode : modes) {
        run_recorded(&record, "child", mode);
        CHECK(sum_at(&record, (void *)single, 0, CALLS) == 40 && sum_at(&record, (void *)single, 0, LIVE_BLOCKS) == 0);
        CHECK(sum_at(&record, (void *)array, 0, CALLS) == 1 && sum_at(&record, (void *)array, 0, ASKED) == 1000);
        CHECK(sum_at(&record, (void *)array, 0, LIVE_BLOCKS) == 1);
        CHECK(sum_at(&record, (void *)wide, 0, CALLS) == 2 && sum_at(&record, (void *)wide, 0, ASKED) == sizeof(Wide) + 77);
        CHECK(sum_at(&record, (void *)too_much, 0, CALLS) == 0);
        CHECK(sum_of(&record, CALLS) == field(record.text, "\"blocks\":{\"asked\"", "asked"));
        CHECK(sum_of(&record, LIVE_BYTES) == field(record.text, "\"bytes\"", "live_usable"));
        // What libstdc++ keeps for emergencies was allocated before the library was started.
        CHECK(without_site(&record, CALLS) <= 1);
    }
    return 0;
}
