"""The program of a template process: it imports packages once, and forks a kernel for each request.

A kernel that is forked here starts with the packages already imported, which would take it seconds.
It then joins the namespaces of a sandbox that bubblewrap has made, and gives up the same rights as
a program that bubblewrap starts there. So the walls of the sandbox are the same, and only the way
of the first process into it differs.

This file is run by itself, with Python's standard library alone, and must not show where it lies:
student code can read the command line of its own process, which is this one's. Nothing that it
knows is secret, because a forked kernel knows it too: it is told the names of packages, and then
descriptors and what a kernel's command line and environment would say.
"""

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import random
import runpy
import signal
import socket
import sys
from typing import Any

REQUEST_BYTES = 2**16
"""Limit on the length of a request, which has a few hundred bytes."""
MOST_DESCRIPTORS = 16

ORDER = ("owner", "mnt", "net", "ipc", "uts", "cgroup", "pid", "user")
"""The namespaces in the order in which they are joined.

`owner` is the user namespace to which the others belong. The sandbox's programs run in one below
it, `user`, which has no rights over the others and is therefore joined last.
"""

_NS_GET_USERNS = 0xB701
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 4, 24
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]


def serve(requests: socket.socket) -> None:
    """Fork a kernel for each request, until the other side hangs up."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that start kernels
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, REQUEST_BYTES, MOST_DESCRIPTORS)
        if not message:
            return
        if os.fork() == 0:
            requests.close()
            _start(message, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _start(message: bytes, descriptors: list[int]) -> None:
    """Join a sandbox, start a kernel in it, and tell the sandbox's own process how it ends.

    Only a process that is born in a process namespace belongs to it. So this process joins and then
    forks once more. It stays outside, where student code does not see it, and never returns.
    """
    request = json.loads(message)
    named = dict(zip(request["descriptors"], descriptors, strict=True))
    ending = socket.socket(fileno=named["ending"])
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(named["errors"], 2)
        with open(named.pop("filter"), "rb") as file:
            program = file.read()
        _join(named)
        kernel = os.fork()
        if kernel == 0:
            ending.close()
            _become_kernel(request, named["connection"], named["go"], program)
        go = socket.socket(fileno=named["go"])
        go.sendall(f"{kernel}\n".encode())
        go.close()
        for name in ("connection", "errors"):
            os.close(named[name])
        _, ended = os.waitpid(kernel, 0)
        code = os.waitstatus_to_exitcode(ended)
        status = code if code >= 0 else 128 - code
    finally:
        with contextlib.suppress(OSError):  # the grader may have ended the sandbox
            ending.sendall(f"{status}\n".encode())
        os._exit(0)


def _join(descriptors: dict[str, int]) -> None:
    """Join the namespaces of a process in the sandbox, given their descriptors."""
    owner = fcntl.ioctl(descriptors["mnt"], _NS_GET_USERNS)
    for name in ORDER:
        descriptor = owner if name == "owner" else descriptors[name]
        _checked(_libc.setns(descriptor, 0), f"join the namespace {name}")


def _become_kernel(request: dict[str, Any], connection: int, go: int, program: bytes) -> None:
    """Do what bubblewrap does before it starts a program, and then run the kernel's module."""
    try:
        os.setsid()
        os.dup2(connection, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 1)
        # Only after this may student code run: the grader has put this process into its group.
        go_ahead = os.dup2(go, 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        if os.read(go_ahead, 1) != b"!":
            os._exit(1)
        os.close(go_ahead)
        os.chdir("/scratch")
        _give_up_rights(program)
        os.environ.update(request["environment"])
        sys.path[:0] = ["/scratch", *request["environment"]["PYTHONPATH"].split(":")]
        reseed()
    except BaseException as error:
        os.write(2, f"{error}\n".encode())
        os._exit(1)
    sys.argv = ["", *request["arguments"]]
    _run_kernel(request["module"])


def _run_kernel(module: str) -> None:
    """Run the kernel as `python -m` does, and end the process as Python does."""
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        code = 1
    os._exit(code)


def _give_up_rights(program: bytes) -> None:
    """Give up all capabilities for good, and allow only the system calls of a filter."""
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_last_capability() + 1):
        _prctl(_PR_CAPBSET_DROP, capability)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()), "give up capabilities")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    # The change of account has made this process's own files in /proc those of root.
    _prctl(_PR_SET_DUMPABLE, 1)
    buffer = ctypes.create_string_buffer(program, len(program))
    rules = _Filter(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(rules))


def _last_capability() -> int:
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        return int(file.read())


def reseed() -> None:
    """Let a forked process draw random numbers of its own, as if it had been started by itself."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()


def _prctl(option: int, first: int, second: int = 0) -> None:
    words = [ctypes.c_ulong(word) for word in (first, second, 0, 0)]
    _checked(_libc.prctl(option, *words), f"set option {option} of its process")


def _checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"cannot {what}: {os.strerror(ctypes.get_errno())}")


def main() -> None:
    """Import the packages that the first message names, and serve the requests after it."""
    requests = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    sys.path[:] = [place for place in sys.path if place]
    for name in json.loads(requests.recv(REQUEST_BYTES)):
        with contextlib.suppress(ImportError):  # what is not installed here may be for Colab alone
            importlib.import_module(name)
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        sys.exit(f"importing has started {threads - 1} threads")
    # Objects that are never collected are not written to, so that kernels go on sharing them.
    gc.collect()
    gc.freeze()
    serve(requests)


if __name__ == "__main__":
    main()
