"""The system calls that student code may make, as a filter for bubblewrap's ``--seccomp``.

The list is similar to Docker's default profile but shorter: it has the calls that Python, IPython,
numpy, torch (with the workers of its DataLoader), matplotlib and multiprocessing use. Any other
call fails with ENOSYS, as on a kernel that is too old for it; the C library and Python have
fallbacks for this case. So there are no namespaces, no mounts, no tracing of other processes, no
key rings, no BPF, no performance counters, no io_uring, no memory without an owner (memfd, System
V), and no sockets except those between the sandbox's own processes.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import socket
from functools import cache

from autograder.errors import UserError

ALLOWED = """
    access alarm arch_prctl brk capget chdir chmod chown clock_getres clock_gettime
    clock_nanosleep close close_range copy_file_range creat dup dup2 dup3 epoll_create
    epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat
    exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2
    fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fstat fstatfs fsync ftruncate
    futex futex_waitv futimesat getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups
    getitimer getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit
    getrusage getsid gettid gettimeofday getuid getxattr get_mempolicy get_robust_list ioctl kill
    lchown lgetxattr link linkat listxattr llistxattr lseek lstat madvise membarrier mincore mkdir
    mkdirat mlock mlock2 mmap mprotect mremap msync munlock munmap nanosleep newfstatat open
    openat pause pidfd_open pidfd_send_signal pipe pipe2 poll ppoll prctl pread64 preadv preadv2
    prlimit64 pselect6 pwrite64 pwritev pwritev2 read readlink readlinkat readv rename renameat
    renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn
    rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_getparam sched_getscheduler
    sched_get_priority_max sched_get_priority_min sched_setaffinity sched_yield select sendfile
    setitimer setpgid setpriority setrlimit setsid set_robust_list set_tid_address sigaltstack
    stat statfs statx symlink symlinkat sync_file_range sysinfo tgkill time times tkill truncate
    umask uname unlink unlinkat utime utimensat utimes vfork wait4 waitid write writev

    accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg
    recvmsg sendmmsg sendmsg sendto setsockopt shutdown socketpair
"""
"""Calls that are allowed with any arguments: for files, memory and processes, then for sockets."""

INTERNET = (socket.AF_INET, socket.AF_INET6)
PROTOCOLS = (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP)
"""Sockets between the sandbox's own processes, in addition to Unix sockets.

Netlink, vsock and packet sockets are excluded, because they reach the machine and not only the
sandbox, and so are protocols that load a kernel module.
"""

NEW_NAMESPACES = 0x7E020000
"""The flags of `clone` that make namespaces (CLONE_NEW*, see namespaces(7))."""

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL_PROCESS = 0x80000000
_ON_BAD_ARCHITECTURE = 2
_EQUAL, _MASKED_EQUAL = 4, 7


class FilterUnavailable(UserError):
    """libseccomp is missing; the message says how to get it."""


class _Comparison(ctypes.Structure):
    """libseccomp's ``struct scmp_arg_cmp``: a condition on one argument of a call."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


@cache
def filter_program() -> bytes:
    """Return the filter as a BPF program.

    Returns
    -------
    bytes
        A program for seccomp(2), compiled by libseccomp for this machine's own calling convention.
        A call that uses another one (a 32-bit call, say) ends the process.

    Raises
    ------
    FilterUnavailable
        If libseccomp is not installed.
    """
    library = _library()
    context = library.seccomp_init(ctypes.c_uint32(_ERRNO | errno.ENOSYS))
    if not context:
        raise FilterUnavailable("libseccomp is installed but cannot make a filter.")
    try:
        _checked(library.seccomp_attr_set(context, _ON_BAD_ARCHITECTURE, _KILL_PROCESS))
        for name in ALLOWED.split():
            _allow(library, context, name)
        _allow(library, context, "clone", (0, _MASKED_EQUAL, NEW_NAMESPACES, 0))
        _allow(library, context, "socket", (0, _EQUAL, socket.AF_UNIX, 0))
        for family, protocol in itertools.product(INTERNET, PROTOCOLS):
            conditions = [(0, _EQUAL, family, 0), (2, _EQUAL, protocol, 0)]
            _allow(library, context, "socket", *conditions)
        descriptor = os.memfd_create("seccomp")
        with open(descriptor, "w+b") as program:
            _checked(library.seccomp_export_bpf(context, descriptor))
            program.seek(0)
            return program.read()
    finally:
        library.seccomp_release(context)


def _allow(
    library: ctypes.CDLL, context: int, name: str, *conditions: tuple[int, int, int, int]
) -> None:
    """Allow a call; if there are `conditions` on its arguments, only when all of them hold."""
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        # This machine has no such call (arm64 has no `open`), or libseccomp is older than the call.
        return
    array = (_Comparison * len(conditions))(*(_Comparison(*c) for c in conditions))
    _checked(
        library.seccomp_rule_add_array(
            context, ctypes.c_uint32(_ALLOW), number, ctypes.c_uint(len(conditions)), array
        )
    )


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(-result, f"libseccomp: {os.strerror(-result)}")


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError as error:
        raise FilterUnavailable(
            "Grading filters the system calls of student code with libseccomp, which is not "
            "installed here. Install it with `apt-get install libseccomp2` (Debian, Ubuntu) or "
            "`dnf install libseccomp` (Fedora)."
        ) from error
    library.seccomp_init.restype = ctypes.c_void_p
    for name in ("seccomp_attr_set", "seccomp_rule_add_array", "seccomp_export_bpf"):
        getattr(library, name).restype = ctypes.c_int
    library.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Comparison),
    ]
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    return library
