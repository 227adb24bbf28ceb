/* mems-bench-patterns ROW[@THREADS] [WORK]: one classic allocation pattern, a fixed amount of work, then the end.
 *
 * It knows no allocator: whichever malloc the loader has put in front serves it. Time and peak RSS are measured from
 * outside (measure.c); rows with a figure of their own print `figure NAME VALUE`. The last line is `ops N`: allocations made.
 * WORK scales the amount (default 1). `--list` names the rows. */
#include "pattern.h"
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static const struct pattern *const groups[] = {small_patterns, growth_patterns, exchange_patterns, phase_patterns, process_patterns};

size_t resident_kib(void) {
    char text[128];
    int file = open("/proc/self/statm", O_RDONLY);
    ssize_t n = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (n <= 0) perror("/proc/self/statm"), _Exit(1);
    close(file);
    text[n] = 0;
    char *second = strchr(text, ' ');
    return (size_t)strtoull(second, NULL, 10) * (size_t)(sysconf(_SC_PAGESIZE) / 1024);
}

size_t mappings(void) {
    char text[4096];
    int file = open("/proc/self/maps", O_RDONLY);
    size_t lines = 0;
    for (ssize_t n; (n = file < 0 ? -1 : read(file, text, sizeof text)) != 0;) {
        if (n < 0) perror("/proc/self/maps"), _Exit(1);
        for (ssize_t i = 0; i < n; i++) lines += text[i] == '\n';
    }
    close(file);
    return lines;
}

void figure(const char *name, double value) {
    printf("figure %s %.4g\n", name, value);
    fflush(stdout);
}

struct start {
    struct job job;
    void (*run)(struct job *);
    pthread_t id;
};

static void *begin(void *start) {
    ((struct start *)start)->run(&((struct start *)start)->job);
    return NULL;
}

void on_threads(struct job *job, unsigned count, void (*run)(struct job *)) {
    static struct start starts[256];
    if (count > 256) fputs("mems-bench-patterns: at most 256 threads\n", stderr), _Exit(2);
    for (unsigned i = 0; i < count; i++) {
        starts[i] = (struct start){{job->work, i, count, 88172645463325252ULL * (2 * i + 1), 0}, run, 0};
        if (pthread_create(&starts[i].id, NULL, begin, &starts[i]) != 0) perror("pthread_create"), _Exit(1);
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(starts[i].id, NULL);
        job->ops += starts[i].job.ops;
    }
}

static const struct pattern *find(const char *name, size_t length) {
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const struct pattern *p = groups[g]; p->name != NULL; p++)
            if (strlen(p->name) == length && memcmp(p->name, name, length) == 0) return p;
    return NULL;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
            for (const struct pattern *p = groups[g]; p->name != NULL; p++) printf("%-16s %s\n", p->name, p->what);
        return 0;
    }
    if (argc < 2 || argc > 3) return fputs("usage: mems-bench-patterns ROW[@THREADS] [WORK] | --list\n", stderr), 2;
    const char *at = strchr(argv[1], '@');
    const struct pattern *pattern = find(argv[1], at == NULL ? strlen(argv[1]) : (size_t)(at - argv[1]));
    unsigned threads = at == NULL ? 1 : (unsigned)strtoul(at + 1, NULL, 10);
    struct job job = {argc == 3 ? strtod(argv[2], NULL) : 1, 0, threads, 88172645463325252ULL, 0};
    if (pattern == NULL || threads == 0 || !(job.work > 0)) return fprintf(stderr, "mems-bench-patterns: no such row: %s\n", argv[1]), 2;
    if (at == NULL || pattern->alone)
        pattern->run(&job);
    else
        on_threads(&job, threads, pattern->run);
    printf("ops %llu\n", (unsigned long long)job.ops);
    return 0;
}
