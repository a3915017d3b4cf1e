"""Submissions that look for tests, answers, scores, the work of others, and the machine.

They know how the secrets of this class begin, and print every secret that they find.
"""

from hand_ins import HandIn, hostile
from hostile_course import Assignment

PATTERN = "import re\nSECRET = re.compile(rb'SECRET-[a-z]+-[0-9a-f]{32}')\n"

IN_FILES = (
    PATTERN
    + """
import os, sys

def search(top):
    found, files = set(), 0
    for place, folders, names in os.walk(top):
        if place in ("/usr", "/lib", "/bin", "/sys", sys.prefix, sys.base_prefix):
            folders.clear()
        folders[:] = [name for name in folders if name not in ("task", "map_files")]
        for name in [*names, *folders]:
            found.update(SECRET.findall(name.encode("utf-8", "surrogateescape")))
        for name in names:
            if name in ("mem", "pagemap", "kcore", "kmsg", "clear_refs"):
                continue
            try:
                descriptor = os.open(f"{place}/{name}", os.O_RDONLY | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                found.update(SECRET.findall(os.read(descriptor, 2**20)))
                files += 1
            except OSError:
                pass
            finally:
                os.close(descriptor)
    return found, files
"""
)

IN_MEMORY = (
    PATTERN
    + """
import os
def search_memory(pid="self"):
    found, areas = set(), 0
    try:
        areas_of = open(f"/proc/{pid}/maps").read().splitlines()
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except OSError:
        return found, areas
    for line in areas_of:
        low, high = (int(n, 16) for n in line.split()[0].split("-"))
        if not line.split()[1].startswith("rw") or high - low > 2**28:
            continue
        try:
            found.update(SECRET.findall(os.pread(memory, high - low, low)))
            areas += 1
        except (OSError, OverflowError):
            pass
    return found, areas
"""
)


@hostile("total", says=r"FOUND set\(\) in \d{3,} files")
def walk_through_the_files(a: Assignment):
    """Search all files, /proc included, for the gradebook, tests and the work of others."""
    walk = "found, files = search('/')\nprint('FOUND', found, 'in', files, 'files')"
    return a.notebook(IN_FILES + walk, honest=["total"])


@hostile("total", says=r"FOUND set\(\) in \d+ areas")
def walk_through_the_memory(a: Assignment):
    """Search its own memory and that of every process that it sees."""
    walk = """
found, areas = set(), 0
for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
    more, count = search_memory(pid)
    found, areas = found | more, areas + count
print("FOUND", found, "in", areas, "areas")
"""
    return a.notebook(IN_MEMORY + walk, honest=["total"])


@hostile("total", says=r"FOUND set\(\)")
def walk_when_asked(a: Assignment):
    """Search frames, memory and files during a hidden test, and report the result in an error."""
    spy = (
        IN_FILES
        + IN_MEMORY
        + """
import sys
def everything():
    found = search("/proc")[0] | search("/scratch")[0] | search("/tmp")[0] | search_memory()[0]
    frame = sys._getframe()
    while frame:
        texts = repr(frame.f_locals) + repr(frame.f_code.co_filename)
        found |= set(SECRET.findall(texts.encode("utf-8", "replace")))
        frame = frame.f_back
    return found
print("FOUND", everything())
"""
    )
    return a.notebook(
        spy,
        honest=["total"],
        double="def double(w): raise ValueError(str(everything()))",
        bars="def bars(heights): raise KeyError(str(everything()))",
    )


@hostile("total", says=r"FOUND set\(\) in \d{4,} objects")
def walk_through_the_objects(a: Assignment):
    """Search every object that the garbage collector knows, and what each of them refers to."""
    walk = (
        PATTERN
        + """
import gc, sys, threading
def texts(thing):
    if isinstance(thing, str): return [thing.encode("utf-8", "surrogatepass")]
    if isinstance(thing, (bytes, bytearray)): return [bytes(thing)]
    return []
found, seen, count = set(), set(), 0
waiting = [*gc.get_objects(), *sys.modules.values(), *sys._current_frames().values()]
while waiting and count < 300_000:
    thing = waiting.pop()
    if id(thing) in seen: continue
    seen.add(id(thing))
    count += 1
    for text in texts(thing): found.update(SECRET.findall(text))
    waiting += gc.get_referents(thing)
for frame in sys._current_frames().values():
    while frame:
        found.update(SECRET.findall(repr(frame.f_locals)[:10**6].encode("utf-8", "replace")))
        frame = frame.f_back
print("FOUND", found, "in", count, "objects")
"""
    )
    return a.notebook(walk, honest=["total"])


@hostile("total", says=r"COURSE \[\] among \d{4,} names")
def files_of_the_course(a: Assignment):
    """Look in every folder for what the course keeps: gradebook, references, tests, answers."""
    look = """
import os
kept = ("gradebook.db", "misconceptions.py", "course.toml", "nbgrader_config.py")
parts = ("autograder", "references", "submitted", "autograded", "handed-in", ".backups", ".answers")
found, names = [], 0
for place, folders, files in os.walk("/"):
    if place.startswith("/proc/") and place.count("/") > 2: folders.clear()
    if place.startswith("/sys"): folders.clear()
    names += len(folders) + len(files)
    if "/nbgrader/" in place or "/playwright/" in place: continue  # packages with such names
    found += [f"{place}/{name}" for name in files if name in kept]
    # A folder may be covered by an empty one.
    inner = [f"{place}/{name}" for name in folders if name in parts]
    found += [path for path in inner if os.listdir(path)]
print("COURSE", found, "among", names, "names")
"""
    return a.notebook(look, honest=["total"])


@hostile("total", says=r"FOUND set\(\) in \d{4,} characters")
def environment(a: Assignment):
    """Print environments, arguments, mounts and open files of every process that it sees."""
    look = (
        PATTERN
        + """
import os
texts = [repr(dict(os.environ))]
for pid in ["self", *(name for name in os.listdir("/proc") if name.isdigit())]:
    for name in ("environ", "cmdline", "mountinfo", "status", "cgroup", "maps"):
        try: texts.append(open(f"/proc/{pid}/{name}", errors="replace").read())
        except OSError: pass
    for link in ("root", "cwd", "exe", *(f"fd/{n}" for n in range(50))):
        try: texts.append(os.readlink(f"/proc/{pid}/{link}"))
        except OSError: pass
    try: texts += os.listdir(f"/proc/{pid}/root/")
    except OSError: pass
text = "\\n".join(texts)
found = set(SECRET.findall(text.encode("utf-8", "replace")))
print("FOUND", found, "in", len(text), "characters")
"""
    )
    return a.notebook(look, honest=["total"])


@hostile("total", says=r"REACHED \[\]")
def beyond_the_sandbox(a: Assignment):
    """Reach for key rings, networks, sockets of the machine, devices and new namespaces."""
    reach = """
import ctypes, glob, os, socket
reached = []
def attempt(what, action):
    try: action()
    except Exception: return
    reached.append(what)
def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(0.5)
        s.connect(address)
for port in (22, 80, 443, 631, 2049, 5432, 8000, 8080, 8888):
    attempt(f"port {port}", lambda: connect(socket.AF_INET, ("127.0.0.1", port)))
attempt("the network", lambda: connect(socket.AF_INET, ("192.0.2.1", 80)))
attempt("names", lambda: socket.gethostbyname("example.org"))
attempt("vsock", lambda: connect(socket.AF_VSOCK, (2, 1024)))
for line in open("/proc/net/unix").read().splitlines()[1:]:
    path = line.split()[7:]
    if path: attempt(path[0], lambda: connect(socket.AF_UNIX, path[0].replace("@", chr(0), 1)))
for path in ("/var/run/docker.sock", "/run/systemd/private", "/run/user/0/bus"):
    attempt(path, lambda: connect(socket.AF_UNIX, path))
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number):
    ctypes.set_errno(0)
    if libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 38:
        reached.append(name)
if os.uname().machine == "x86_64":
    for name, number in {"keyctl": 250, "add_key": 248, "bpf": 321, "unshare": 272, "mount": 165,
                         "ptrace": 101, "memfd_create": 319, "io_uring_setup": 425}.items():
        call(name, number)
for path in ("/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/fuse", "/dev/kvm"):
    attempt(path, lambda: open(path, "rb"))
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"):
    attempt(path, lambda: open(path, "w"))
print("REACHED", reached)
"""
    return a.notebook(reach, honest=["total"])


@hostile("total", says="left")
def left_for_others(a: Assignment):
    """Leave a file, a socket and a process behind that another submission could find."""
    place, token = a.secrets["planted"].rsplit("-", 1)
    leave = f"""
import os, socket, time
secret = {place!r} + "-" + {token!r}
for place in ("/tmp", "/scratch", "/dev/shm", "/var/tmp", "/submission", "/course", "/"):
    try: open(os.path.join(place, secret), "w").write(secret)
    except OSError: pass
listening = socket.socket(socket.AF_UNIX)
listening.bind(chr(0) + secret)
listening.listen()
if not os.fork():
    os.execv("/bin/sleep", [secret, "600"])
print("left")
"""
    return a.notebook(leave, honest=["total"])


@hostile(says=r"\['mine.txt'\]\nOTHERS \[\]")
def own_files_alone(a: Assignment):
    """Look for other hand-ins beside its own, by the names of students of this class."""
    look = """
import os
print(sorted(os.listdir("/submission")))
places = ["/submission/..", "/scratch/..", "/course/..", "..", "../..", "/tmp"]
names = ["honest", "untouched", "handed-in", "submitted", "doubling"]
print("OTHERS", [f"{p}/{n}" for p in places for n in names if os.path.exists(f"{p}/{n}")])
"""
    return HandIn(a.notebook(look), {"mine.txt": b"mine"})
