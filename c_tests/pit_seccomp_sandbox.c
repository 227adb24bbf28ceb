/* what: inside a sandbox that kills for any system call a plain program does not use, the heap works and the program ends well, with stderr a file, a pipe and /dev/null.
 * mode: preload
 */
#include "seccomp.h"

static void sandboxed(int way) {
    static const int plain[] = {SYS_read, SYS_write, SYS_writev, SYS_close, SYS_fstat, SYS_newfstatat, SYS_lseek, SYS_mmap, SYS_munmap,
                                SYS_mprotect, SYS_brk, SYS_mremap, SYS_madvise, SYS_futex, SYS_rt_sigreturn, SYS_rt_sigaction,
                                SYS_rt_sigprocmask, SYS_exit, SYS_exit_group, SYS_clock_gettime, SYS_getrandom, SYS_sched_yield,
                                SYS_ppoll,
#ifdef SYS_poll
                                SYS_poll,
#endif
                                -1};
    filter_calls(plain, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS);
    exercise(1, 20000);
    void *p = get(50 << 20);
    CHECK(p);
    memset(p, 1, 1 << 20);
    p = resize(p, 80 << 20);
    CHECK(p);
    free(p);
    malloc_trim(0);
    if (way % 2) {
        _exit(7);
    }
    exit(7);
}

int main(void) {
    for (int way = 0; way < 6; way++) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            if (way / 2 == 0) {
                dup2(ends[1], 2);
            } else {
                int fd = way / 2 == 1 ? open("errors", O_RDWR | O_CREAT | O_TRUNC, 0600) : open("/dev/null", O_WRONLY);
                CHECK(fd >= 0 && dup2(fd, 2) == 2);
                close(fd);
            }
            sandboxed(way);
        }
        int status = wait_for(child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}
