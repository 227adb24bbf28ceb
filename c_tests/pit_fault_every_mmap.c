/* what: the n-th mapping and the next two are refused, for n from the first after the loader's own on: NULL and ENOMEM where it shows, and the program goes on.
 * mode: preload
 * flags: -pthread
 * needs: strace
 */
#include "pit.h"

static int refused;

static void *may_fail(void *p) {
    if (!p) {
        CHECK_ERRNO(ENOMEM);
        refused++;
    }
    errno = 0;
    return p;
}

static void try_all(void) {
    void *p[200];
    for (int i = 0; i < 200; i++) {
        size_t n = (size_t)i * i * 4 + 1;
        switch (i % 5) {
        case 0: p[i] = may_fail(get(n)); break;
        case 1: p[i] = may_fail(get_zeroed(n, 1)); CHECK(!p[i] || holds_only(p[i], 0, n)); break;
        case 2: p[i] = may_fail(opaque(memalign(128, n))); break;
        case 3: p[i] = may_fail(get(n * 3)); break;
        default: {
            unsigned char *q = may_fail(get(n));
            if (q) {
                memset(q, 5, n);
                void *larger = may_fail(resize(q, n * 2));
                q = larger ? larger : q;
                CHECK(holds_only(q, 5, n));
            }
            p[i] = q;
        }
        }
    }
    for (int i = 0; i < 200; i++) {
        free(p[i]);
    }
}

static void *thread(void *none) {
    try_all();
    return none;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        errno = 0;
        CHECK(write(1, "started\n", 8) == 8);
        try_all();
        pthread_t t;
        if (pthread_create(&t, NULL, thread, NULL) == 0) {
            CHECK(pthread_join(t, NULL) == 0);
        }
        try_all();
        /* The three refusals are over: everything works. */
        int before = refused;
        try_all();
        CHECK(refused == before);
        return 7;
    }
    int started = 0;
    for (int n = 1; n < 70; n++) {
        char injection[64];
        int ends[2];
        CHECK(pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0) {
            dup2(ends[1], 1);
            snprintf(injection, sizeof injection, "inject=mmap:error=ENOMEM:when=%d..%d", n, n + 2);
            /* strace itself is no part of this. */
            char preload[4096];
            snprintf(preload, sizeof preload, "LD_PRELOAD=%s", getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "");
            unsetenv("LD_PRELOAD");
            execlp("strace", "strace", "-f", "--seccomp-bpf", "-o", "trace", "-E", preload, "-e", "trace=mmap", "-e", injection, own_path(), argv[0],
                   (char *)NULL);
            _exit(5);
        }
        close(ends[1]);
        char text[100];
        ssize_t got = read(ends[0], text, sizeof text);
        close(ends[0]);
        int status = wait_for(child);
        /* Before main, it is the loader that fails. Where tracing is not allowed nothing starts. */
        if (got > 7 && memcmp(text, "started", 7) == 0) {
            started++;
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        }
    }
    unlink("trace");
    CHECK(started == 0 || started > 20);
    return 0;
}
