"""Submissions that use too much time or memory, or too many processes, files or outputs."""

from hand_ins import hostile
from hostile_course import Assignment


@hostile("total", flag="cell 4.*: it (took|started) more than")
def fork_bomb(a: Assignment):
    """Start processes that start processes."""
    bomb = """
import os
while True:
    try: os.fork()
    except OSError: pass
"""
    return a.notebook(bomb, honest=["total"])


@hostile("total", flag="more than the .* of memory allowed")
def memory_hog(a: Assignment):
    """Take all memory."""
    return a.notebook("x = []\nwhile True: x.append(bytearray(2**24))", honest=["total"])


@hostile("total", flag="more than the .* of memory allowed")
def shared_memory_hog(a: Assignment):
    """Take all memory as shared pages, which belong to no single process."""
    hog = """
import mmap, time
m = mmap.mmap(-1, 3 * 2**30)
for start in range(0, len(m), 2**20): m[start:start + 2**20] = bytes([1]) * 2**20
time.sleep(60)
"""
    return a.notebook(hog, honest=["total"])


@hostile("total", flag="more than the .* of memory allowed")
def disk_hog(a: Assignment):
    """Fill every folder that it may write to."""
    hog = """
import time
for place in ("/tmp", "/scratch", "/dev/shm"):
    try:
        for number in range(1000):
            with open(f"{place}/{number}", "wb") as file: file.write(bytes(2**24))
    except OSError: pass
time.sleep(60)
"""
    return a.notebook(hog, honest=["total"])


@hostile("total", flag="more than .* files")
def too_many_files(a: Assignment):
    """Write empty files, which take the machine's memory but no disk space."""
    source = """
import os, time
for number in range(200_000):
    os.close(os.open(f"/scratch/{number}", os.O_CREAT))
time.sleep(60)
"""
    return a.notebook(source, honest=["total"])


@hostile("total", flag="it (used|took) more than")
def endless_output(a: Assignment):
    """Print for ever."""
    return a.notebook("while True: print('x' * 10**6)", honest=["total"])


@hostile("total", says="x{1000}")
def large_outputs(a: Assignment):
    """Print as much as a cell may, in several cells, on all channels and with many pictures."""
    loud = """
import base64, sys
from IPython.display import HTML, Image, display
print("x" * 3 * 10**6)
print("x" * 10**6, file=sys.stderr)
display({"image/png": base64.b64encode(b"x" * 10**6).decode()}, raw=True)
for _ in range(500): display(HTML("<b>x</b>" * 100))
raise ValueError("x" * 10**6)
"""
    return a.notebook(*[loud] * 3, honest=["total"])


@hostile("total", flag=r"(?s)ended by itself \(exit status 3\).*SIGKILL.*SIGSEGV")
def ended_kernels(a: Assignment):
    """End its process by itself, by a signal and by a crash."""
    return a.notebook(
        "import os\nos._exit(3)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes\nctypes.string_at(1)",
        honest=["total"],
    )


@hostile(flag="the rest of the notebook was not run: the kernel had already been lost")
def kernel_after_kernel(a: Assignment):
    """End every kernel that it gets."""
    return a.notebook(*["import os\nos._exit(0)"] * 7, honest=["total"])


@hostile("total", says="alone")
def killed_all(a: Assignment):
    """Send signals to all processes."""
    kill = """
import os, signal
for pid in [-1, *range(1, 70_000)]:
    if pid == os.getpid(): continue
    for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        try: os.kill(pid, number)
        except OSError: break
print("alone")
"""
    return a.notebook(kill, honest=["total"])


@hostile("total", flag="was stopped")
def stopped_kernel(a: Assignment):
    """Stop its own process, which then neither answers nor uses any time."""
    return a.notebook("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", honest=["total"])


@hostile("total", flag=r"took longer than \d+ s")
def sleeper(a: Assignment):
    """Sleep instead of answering a hidden test, and also in a thread and in a child process."""
    sleep = """
import os, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
if not os.fork():
    os.setsid()
    time.sleep(600)
    os._exit(0)
"""
    return a.notebook(sleep, honest=["total"], double="import time\ntime.sleep(600)")


@hostile("total", says="started")
def work_that_outlives_its_cell(a: Assignment):
    """Leave threads and child processes behind that compute, write and change answers."""
    work = """
import os, threading, time
def work():
    while True:
        get_ipython().user_ns["double"] = 7
        open("/tmp/work", "a").write("x")
threading.Thread(target=work, daemon=True).start()
for _ in range(3):
    if not os.fork():
        os.setsid()
        time.sleep(600)
        os._exit(0)
print("started")
"""
    return a.notebook(work, honest=["total"])
