/* what: the JSON names the way out and the code, as the parent sees it.
 * flags: -pthread
 * plain: no
 */
#include "run_self.h"
#include <pthread.h>

static void *late(void *none) {
    usleep(20000);
    return none;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        switch (argv[1][0]) {
        case '0': exit(4);
        case '1': _exit(260);
        case '2': _Exit(6);
        case '3': quick_exit(7);
        case '4': return -1;
        case '5': execl("/bin/true", "true", (char *)NULL); break;
        case '6': {
            pthread_t t;
            CHECK(pthread_create(&t, NULL, late, NULL) == 0);
            pthread_exit(NULL);
        }
        }
        return 9;
    }
    const char *expected[] = {
        "{\"kind\":\"exit\",\"code\":4}",       "{\"kind\":\"_exit\",\"code\":4}",   "{\"kind\":\"_exit\",\"code\":6}",
        "{\"kind\":\"quick_exit\",\"code\":7}", "{\"kind\":\"exit\",\"code\":255}",  "{\"kind\":\"exec\",\"code\":0}",
        "{\"kind\":\"exit\",\"code\":0}",
    };
    static struct seen seen;
    for (int way = 0; way < 7; way++) {
        char which[2] = {(char)('0' + way), 0};
        run_self(&seen, which, "MEMS_STATS_FORMAT=json");
        CHECK(strstr(seen.text, expected[way]));
        CHECK(times(seen.text, "{\"schema\"") == (way == 5 ? 2 : 1));
    }
    return 0;
}
