/* confine.c - rlimits and a filter of system calls. */
#include "http/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif
#else
enum { IS_SANITIZED = 0 };
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE

/* What computing needs: memory, what is open, clocks, threads' waiting, the end. Everything else
 * fails with EPERM, which a library takes better than being killed and which gives nothing away. */
static const int allowed[] = {
    SYS_read,         SYS_pread64,     SYS_readv,         SYS_write,
    SYS_pwrite64,     SYS_writev,      SYS_lseek,         SYS_fstat,
    SYS_mmap,         SYS_munmap,      SYS_mremap,        SYS_mprotect,
    SYS_madvise,      SYS_brk,         SYS_close,         SYS_futex,
    SYS_exit,         SYS_exit_group,  SYS_rt_sigreturn,  SYS_rt_sigprocmask,
    SYS_rt_sigaction, SYS_sigaltstack, SYS_clock_gettime, SYS_clock_nanosleep,
    SYS_sched_yield,  SYS_getrandom,   SYS_getpid,        SYS_gettid,
    SYS_newfstatat,
};

static enum xl_status filter_calls(struct xl_err *err) {
    enum { N = sizeof allowed / sizeof *allowed };
    struct sock_filter rules[N + 6];
    int n = 0;
    rules[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    rules[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    rules[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    rules[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < N; i++)
        rules[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[i],
                                                  (unsigned char)(N - i), 0);
    rules[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                                              SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA));
    rules[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = rules};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) && errno != EINVAL)
        return xl_fail(err, XL_EINTERNAL, "a filter of system calls: %s", strerror(errno));
    return XL_OK; /* EINVAL: a kernel without filters */
}

#else

static enum xl_status filter_calls(struct xl_err *err) {
    (void)err;
    return XL_OK;
}

#endif

static bool set_limit(int what, rlim_t most) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)what, &limit)) return false;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < most) most = limit.rlim_max;
    limit.rlim_cur = limit.rlim_max = most;
    return !setrlimit((__rlimit_resource_t)what, &limit);
}

enum xl_status xl_confine(const struct xl_confinement *confinement, struct xl_err *err) {
    bool has_memory_limit = confinement->memory_bytes && !IS_SANITIZED;
    bool ok = set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_CPU, (rlim_t)confinement->cpu_s) &&
              set_limit(RLIMIT_FSIZE, confinement->file_bytes) &&
              (!has_memory_limit || set_limit(RLIMIT_AS, confinement->memory_bytes)) &&
              (IS_SANITIZED || set_limit(RLIMIT_NOFILE, 3)) &&
              !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!ok) return xl_fail(err, XL_EINTERNAL, "limits of a process: %s", strerror(errno));
    return IS_SANITIZED ? XL_OK : filter_calls(err); /* their reports need more calls */
}
