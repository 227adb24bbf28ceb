/* what: a program that starts with stderr a pipe, a socket or a file, then locks itself into the sandbox, ends with its own code.
 * mode: preload
 */
#include "seccomp.h"
#include <sys/socket.h>

static int locked_in(void) {
    static const int plain[] = {SYS_read, SYS_write, SYS_writev, SYS_close, SYS_fstat, SYS_newfstatat, SYS_lseek, SYS_mmap, SYS_munmap,
                                SYS_mprotect, SYS_brk, SYS_mremap, SYS_madvise, SYS_futex, SYS_rt_sigreturn, SYS_rt_sigaction,
                                SYS_rt_sigprocmask, SYS_exit, SYS_exit_group, SYS_clock_gettime, SYS_getrandom, SYS_sched_yield,
                                SYS_ppoll,
#ifdef SYS_poll
                                SYS_poll,
#endif
                                -1};
    exercise(1, 100);
    filter_calls(plain, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS);
    exercise(2, 5000);
    return 7;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        return locked_in();
    }
    for (int way = 0; way < 3; way++) {
        int ends[2];
        CHECK(way == 1 ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 : pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0) {
            int fd = way == 2 ? open("errors", O_RDWR | O_CREAT | O_TRUNC, 0600) : ends[1];
            dup2(fd, 2);
            close(fd);
            execl(own_path(), argv[0], "child", (char *)NULL);
            _exit(5);
        }
        int status = wait_for(child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}
