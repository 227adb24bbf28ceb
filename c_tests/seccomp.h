/* Seccomp filters for the pitfall programs: a list of system calls and what happens to them, and to all others. */
#ifndef MEMS_SECCOMP_H
#define MEMS_SECCOMP_H

#include "pit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif
#define REFUSED_ENOMEM (SECCOMP_RET_ERRNO | ENOMEM)
#define REFUSED_EAGAIN (SECCOMP_RET_ERRNO | EAGAIN)

/* From now on this thread's `listed` calls (ended by -1) get `action`, all others `otherwise`. */
static inline void filter_calls(const int *listed, unsigned action, unsigned otherwise) {
    struct sock_filter program[160];
    unsigned short n = 0;
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (; *listed >= 0; listed++) {
        program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)*listed, 0, 1);
        program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    }
    program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise);
    struct sock_fprog whole = {n, program};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) == 0);
}

#endif
