/* what: everything at once, for as long as asked (args: seconds, seed): threads that share blocks, threads that are born and end, threads that the kernel refuses memory, forks, signals whose handlers allocate and fork; every block keeps its bytes, and neither resident memory nor mappings nor descriptors grow.
 * mode: preload
 * flags: -pthread
 * args: 4
 */
#include "seccomp.h"

#define SLOTS 4096
#define LOCKS 64
#define WORKERS 4

static struct {
    unsigned char *at;
    size_t size;
} slot[SLOTS];
static pthread_mutex_t lock[LOCKS];
static double end_at;
static unsigned long seed = 1;
static pthread_t worker[WORKERS];
static unsigned long rounds, births, starved, refusals, children, signals;
/* Under the C library's own malloc a handler may not allocate. */
static int guest;

static unsigned char mark_of(size_t number) {
    return (unsigned char)(number * 7 + 1);
}

static void mark(size_t number) {
    unsigned char *p = slot[number].at;
    size_t n = slot[number].size;
    p[0] = p[n / 2] = p[n - 1] = mark_of(number);
    if (n < 400) {
        memset(p, mark_of(number), n);
    }
}

static void check(size_t number) {
    const unsigned char *p = slot[number].at;
    size_t n = slot[number].size;
    CHECK(p[0] == mark_of(number) && p[n / 2] == mark_of(number) && p[n - 1] == mark_of(number));
    CHECK(n >= 400 || holds_only(p, mark_of(number), n));
    CHECK(malloc_usable_size((void *)p) >= n);
}

/* Replaces, resizes or drops the block of one slot. Memory may be refused where `starving`. */
static void turn(unsigned long r, int starving) {
    size_t number = r % SLOTS;
    size_t choice = (r >> 16) % 100;
    size_t size = (choice < 80 ? (r >> 24) % 300 : choice < 98 ? (r >> 24) % 20000 : (r >> 24) % 1000000) + 1;
    pthread_mutex_lock(&lock[number % LOCKS]);
    unsigned char *had = slot[number].at, *now = NULL;
    size_t old = slot[number].size;
    if (had) {
        check(number);
    }
    int resizes = 0;
    errno = 0;
    switch ((r >> 56) % 8) {
    case 0:
        now = (unsigned char *)resize(had, size);
        resizes = 1;
        break;
    case 1: now = (unsigned char *)opaque(memalign((size_t)16 << (r >> 40) % 10, size)); break;
    case 2:
        now = (unsigned char *)get_zeroed(1, size);
        CHECK(!now || (now[0] == 0 && now[size / 2] == 0 && now[size - 1] == 0));
        break;
    case 3: size = 0; break;
    default: now = (unsigned char *)get(size); break;
    }
    if (size && !now) {
        CHECK(starving);
        CHECK_ERRNO(ENOMEM);
        __atomic_add_fetch(&refusals, 1, __ATOMIC_RELAXED);
        if (had) {
            check(number);
        }
    } else {
        if (resizes && had) {
            CHECK(now[0] == mark_of(number));
            CHECK(size <= old / 2 || now[old / 2] == mark_of(number));
        } else {
            free(had);
        }
        slot[number].at = now;
        slot[number].size = size;
        if (now) {
            mark(number);
        }
    }
    pthread_mutex_unlock(&lock[number % LOCKS]);
}

/* A block that one handler of this thread gets, the next one checks and gives back: both may have come in the middle of
 * a malloc or free. */
static __thread unsigned char *handlers_block;
static __thread size_t handlers_size;

/* A child of a handler, which may have come in the middle of a malloc or free, uses the heap and ends. */
static void forks_in_handler(unsigned long n) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(100);
        exercise(n, 300);
        _exit(0);
    }
    CHECK(ended_well(child));
    __atomic_add_fetch(&children, 1, __ATOMIC_RELAXED);
}

static void handler(int signal) {
    (void)signal;
    static __thread int forking;
    int had = errno;
    unsigned long n = __atomic_add_fetch(&signals, 1, __ATOMIC_RELAXED);
    if (guest) {
        if (handlers_block) {
            CHECK(holds_only(handlers_block, (int)handlers_size & 0xff, handlers_size));
            free(handlers_block);
        }
        handlers_size = n % 64 ? n * 7919 % 500 + 1 : n * 7919 % 60000 + 1;
        handlers_block = (unsigned char *)get(handlers_size);
        CHECK(handlers_block);
        memset(handlers_block, (int)handlers_size & 0xff, handlers_size);
        if (n % 1000 == 0 && !forking) {
            forking = 1;
            forks_in_handler(n);
            forking = 0;
        }
    }
    errno = had;
}

static void drop_handlers_block(void) {
    sigset_t all;
    CHECK(sigfillset(&all) == 0 && pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
    free(handlers_block);
}

static void *works(void *number) {
    unsigned long state = seed * 1000003 + (unsigned long)number * 7919 + 11;
    while (seconds() < end_at) {
        for (int i = 0; i < 500; i++) {
            turn(next_random(&state), 0);
        }
        __atomic_add_fetch(&rounds, 500, __ATOMIC_RELAXED);
    }
    drop_handlers_block();
    return NULL;
}

static void *lives_shortly(void *number) {
    unsigned long state = seed * 97 + (unsigned long)number * 104729 + 3;
    int starves = (unsigned long)number % 4 == 0;
    if (starves) {
        static const int listed[] = {SYS_mmap, SYS_mremap, SYS_munmap, -1};
        filter_calls(listed, REFUSED_ENOMEM, SECCOMP_RET_ALLOW);
        starved++;
    }
    for (int i = 0; i < 300; i++) {
        turn(next_random(&state), starves);
    }
    return NULL;
}

static void *bears(void *none) {
    while (seconds() < end_at) {
        pthread_t t[3];
        for (int i = 0; i < 3; i++) {
            CHECK(pthread_create(&t[i], NULL, lives_shortly, (void *)births++) == 0);
        }
        for (int i = 0; i < 3; i++) {
            CHECK(pthread_join(t[i], NULL) == 0);
        }
    }
    return none;
}

static void *forks(void *none) {
    while (seconds() < end_at) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(100);
            exercise(children, 1000);
            for (size_t i = 0; i < SLOTS; i += 5) {
                /* Its lock may be held by a thread that is not here; a held one's block may be in two minds. */
                if (pthread_mutex_trylock(&lock[i % LOCKS]) == 0) {
                    if (slot[i].at) {
                        check(i);
                        free(slot[i].at);
                        slot[i].at = NULL;
                    }
                    pthread_mutex_unlock(&lock[i % LOCKS]);
                }
            }
            exercise(children, 1000);
            _exit(0);
        }
        CHECK(ended_well(child));
        __atomic_add_fetch(&children, 1, __ATOMIC_RELAXED);
        usleep(2000);
    }
    return none;
}

/* What the process has of the kernel. */
struct state {
    long rss, mapped, mappings, descriptors;
};

static long descriptors(void) {
    char entries[4096];
    long n = 0, got;
    int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(fd >= 0);
    while ((got = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0) {
        for (long at = 0; at < got; at += *(unsigned short *)(entries + at + 16)) {
            n++;
        }
    }
    close(fd);
    return n;
}

static void raise_to(long *highest, long now) {
    if (now > *highest) {
        *highest = now;
    }
}

static void look(struct state *highest) {
    raise_to(&highest->rss, status_kib("VmRSS"));
    raise_to(&highest->mapped, status_kib("VmSize"));
    raise_to(&highest->mappings, mappings());
    raise_to(&highest->descriptors, descriptors());
}

static void *shoots(void *none) {
    for (unsigned i = 0; seconds() < end_at - 0.2; i++) {
        pthread_kill(worker[i % WORKERS], SIGUSR1);
        usleep(100);
    }
    return none;
}

int main(int argc, char **argv) {
    pthread_t t[3];
    double length = argc > 1 ? atof(argv[1]) : 4, begin = seconds();
    const char *preload = getenv("LD_PRELOAD");
    guest = preload && strstr(preload, "libmems.so");
    end_at = begin + length;
    seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    for (int i = 0; i < LOCKS; i++) {
        CHECK(pthread_mutex_init(&lock[i], NULL) == 0);
    }
    for (long i = 0; i < WORKERS; i++) {
        CHECK(pthread_create(&worker[i], NULL, works, (void *)i) == 0);
    }
    CHECK(pthread_create(&t[0], NULL, bears, NULL) == 0);
    CHECK(pthread_create(&t[1], NULL, forks, NULL) == 0);
    CHECK(pthread_create(&t[2], NULL, shoots, NULL) == 0);
    /* The highest of the second quarter against the highest of the second half. */
    struct state early = {0, 0, 0, 0}, late = {0, 0, 0, 0};
    for (double now; (now = seconds()) < end_at; usleep(100000)) {
        if (now - begin > length / 2) {
            look(&late);
        } else if (now - begin > length / 4) {
            look(&early);
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        CHECK(pthread_join(worker[i], NULL) == 0);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_join(t[i], NULL) == 0);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        if (slot[i].at) {
            check(i);
        }
        free(slot[i].at);
    }
    char line[400];
    int n = snprintf(line, sizeof line,
                     "%lu turns %lu threads %lu starved %lu refusals %lu children %lu signals %ld -> %ld KiB resident "
                     "%ld -> %ld KiB mapped %ld -> %ld mappings %ld -> %ld descriptors\n",
                     rounds, births, starved, refusals, children, signals, early.rss, late.rss, early.mapped, late.mapped,
                     early.mappings, late.mappings, early.descriptors, late.descriptors);
    CHECK(write(1, line, (size_t)n) == n);
    if (length >= 10 && early.rss) {
        /* What lives is bounded and swings by a few MiB; a thread's stack and a fork's pages come on top. */
        CHECK(late.rss < early.rss + early.rss / 4 + (16 << 10));
        CHECK(late.mapped < early.mapped + early.mapped / 4 + (64 << 10));
        CHECK(late.mappings < early.mappings + early.mappings / 4 + 200);
        CHECK(late.descriptors <= early.descriptors + 2);
    }
    return 0;
}
