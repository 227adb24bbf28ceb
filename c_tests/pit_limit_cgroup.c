/* what: in a memory cgroup of 48 MiB: what is freed goes back before the limit is met, over many rounds; what exceeds it kills, as the kernel says, and nobody else.
 * mode: preload
 * seconds: 120
 */
#include "pit.h"

/* The memory controller's directory for a new group, version 1 or 2; NULL where it may not be made. */
static const char *make_group(void) {
    static const char *const roots[] = {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"};
    static char path[200];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/memory.limit_in_bytes", roots[i]);
        int is_first = access(path, F_OK) == 0;
        snprintf(path, sizeof path, "%s/mems-test-%d", roots[i], (int)getpid());
        if (mkdir(path, 0755) != 0) {
            continue;
        }
        char limit[300];
        snprintf(limit, sizeof limit, "%s/%s", path, is_first ? "memory.limit_in_bytes" : "memory.max");
        int fd = open(limit, O_WRONLY);
        int set = fd >= 0 && write(fd, "50331648", 8) == 8;
        close(fd);
        if (set) {
            return path;
        }
        rmdir(path);
    }
    return NULL;
}

static void join(const char *group) {
    char path[300], pid[20];
    snprintf(path, sizeof path, "%s/cgroup.procs", group);
    int fd = open(path, O_WRONLY);
    int n = snprintf(pid, sizeof pid, "%d", (int)getpid());
    CHECK(fd >= 0 && write(fd, pid, (size_t)n) == n);
    close(fd);
}

static void fill(size_t each, size_t whole) {
    static void *kept[300000];
    size_t n = 0;
    for (size_t have = 0; have < whole; have += each) {
        CHECK((kept[n] = get(each)) != NULL);
        memset(kept[n++], 1, each);
    }
    while (n > 0) {
        free(kept[--n]);
    }
}

int main(void) {
    const char *group = make_group();
    if (!group) {
        CHECK(write(1, "no memory cgroup may be made here\n", 34) == 34);
        return 0;
    }
    pid_t within = fork();
    if (within == 0) {
        join(group);
        /* Each round would pass the limit if what the one before freed were not given back or used again. */
        static const size_t sizes[] = {100, 5000, 64, 200000, 1000, 3 << 20, 30000, 48};
        for (int round = 0; round < 16; round++) {
            fill(sizes[round % 8], 12 << 20);
        }
        _exit(0);
    }
    int status = wait_for(within);
    pid_t over = fork();
    if (over == 0) {
        join(group);
        fill(1000, 200 << 20);
        _exit(0);
    }
    int killed = wait_for(over);
    rmdir(group);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(WIFSIGNALED(killed) && WTERMSIG(killed) == SIGKILL);
    void *p = get(1000);
    CHECK(p);
    free(p);
    return 0;
}
