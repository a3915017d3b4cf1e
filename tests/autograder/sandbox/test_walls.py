"""Student code can reach nothing outside its sandbox."""

import ctypes
import os
import uuid
from pathlib import Path

import kernels
import pytest
from kernels import error, printed, start

from autograder.sandbox import account, shown
from autograder.sandbox.session import Session

pytestmark = pytest.mark.usefixtures("way")


def test_there_is_no_gradebook_no_repository_and_no_autograder(kernel, folders):
    paths = [folders / "course/gradebook.db", os.path.abspath("pyproject.toml"), "/etc/passwd"]
    source = f"import os; print([os.path.exists(p) for p in {[str(p) for p in paths]}])"
    assert printed(kernel, source) == "[False, False, False]\n"
    assert error(kernel, "import autograder.hidden").startswith("ModuleNotFoundError")
    assert error(kernel, "import helpers.reference").startswith("ModuleNotFoundError")


def test_there_is_no_network(kernel):
    source = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=2)"
    assert "Error" in error(kernel, source)
    devices = "print(*[line.split(':')[0].strip() for line in open('/proc/net/dev')][2:])"
    assert printed(kernel, devices) == "lo\n"


def test_no_other_process_is_seen(kernel):
    source = "import os; print(sum(name.isdigit() for name in os.listdir('/proc')))"
    assert int(printed(kernel, source)) <= 3


def test_nothing_can_be_written_outside_the_scratch_folder(kernel, folders):
    for place in (
        "/",
        "/usr",
        "/usr/lib",
        "/course/helpers",
        "/submission",
        "/kernel/inside",
        "/dev",
    ):
        assert "OSError" in error(kernel, f"open('{place}/planted', 'w')")
    kernel.run("open('planted', 'w').write('x')")
    assert not (folders / "submission" / "planted").exists()


def test_the_environment_is_empty_of_secrets(folders, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "token")
    with start(folders) as session:
        assert printed(session, "import os; print('COURSE_SECRET' in os.environ)") == "False\n"
        everything = (
            "print('token' in ''.join(open('/proc/%d/environ' % p).read() for p in (1, 2)))"
        )
        assert "True" not in printed(session, everything)


def test_no_descriptor_of_the_graders_is_open(kernel):
    source = """
import os
links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
kinds = [os.readlink(link).partition(":")[0] for link in links if os.path.lexists(link)]
print(sorted(set(kinds)))
print(kinds.count("socket"))
"""
    # The connection to the grader, and standard error.
    assert printed(kernel, source) == "['/dev/null', 'pipe', 'socket']\n1\n"


def test_the_arguments_of_the_sandbox_reveal_no_paths(kernel, folders):
    source = "print(open('/proc/1/cmdline').read())"
    assert str(folders) not in printed(kernel, source)


# ------------------------------------------------------------------------------------------------
# The rights of student code


def test_student_code_is_never_root(kernel):
    """The ids are checked outside as well, because the user namespace maps those inside."""
    found = [
        process
        for process in kernel._below()
        if process == kernel._kernel or "inside.kernel" in process.cmdline()
    ]
    innermost = found[-1]
    assert 0 not in (*innermost.uids(), *innermost.gids())
    assert printed(kernel, "import os; print(0 in os.getresuid() + os.getresgid())") == "False\n"
    if os.getuid() == 0:
        assert printed(kernel, "import os; print(os.getgroups())") in ("[]\n", "[65534]\n")


def test_student_code_has_no_capabilities_and_gets_none(kernel):
    status = printed(kernel, "print(open('/proc/self/status').read())").splitlines()
    fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    assert {int(fields[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
    assert fields["NoNewPrivs"] == "1"


WALK = """
import os

def own(path):
    parts = path.split('/')
    return parts[2].isdigit() or parts[2] in ('self', 'thread-self')

found = []
for top in ('/proc', '/sys'):
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not own(f'{folder}/{name}')]
        for name in names:
            path = f'{folder}/{name}'
            if own(path) or os.path.islink(path): continue
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                found.append(path)
            except OSError: pass
        for name in folders:
            if os.access(f'{folder}/{name}', os.W_OK): found.append(f'{folder}/{name}')
print(found)
"""


def test_no_setting_of_the_machine_can_be_written(kernel):
    assert printed(kernel, WALK) == "[]\n"
    assert "core_pattern" in printed(kernel, "import os; print(os.listdir('/proc/sys/kernel'))")


def test_root_hands_student_code_to_another_account(monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert account.unprivileged() is not None
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert account.unprivileged() is None


@pytest.mark.parametrize("missing", ["account", "setpriv"])
def test_root_without_another_account_is_refused(folders, monkeypatch, missing):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    if missing == "account":
        monkeypatch.setattr("pwd.getpwnam", lambda name: {}[name])
    else:
        monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(account.NoAccount, match="ordinary user"):
        account.unprivileged().running(["true"])


@pytest.mark.skipif(os.getuid() != 0, reason="only root has an account to change from")
def test_a_folder_that_the_account_cannot_read_is_named(folders):
    (folders / "build").chmod(0o700)
    with pytest.raises(Exception, match=rf"chmod -R o\+rX {folders / 'build'}"):
        start(folders)


def test_copies_are_made_readable(tmp_path):
    (tmp_path / "copy" / "inner").mkdir(parents=True, mode=0o700)
    (tmp_path / "copy" / "inner" / "file").touch(mode=0o600)
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "copy" / "link").symlink_to(tmp_path / "secret")
    account.make_readable(tmp_path / "copy")
    assert (tmp_path / "copy" / "inner").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "copy" / "inner" / "file").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


# ------------------------------------------------------------------------------------------------
# System calls

ENOSYS = 38
CALLS_X86_64 = {
    "add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321, "perf_event_open": 298,
    "userfaultfd": 323, "io_uring_setup": 425, "io_setup": 206, "unshare": 272, "setns": 308,
    "mount": 165, "umount2": 166, "pivot_root": 155, "move_mount": 429, "fsopen": 430,
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "pidfd_getfd": 438, "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "msgget": 68,
    "semget": 64, "mq_open": 240, "name_to_handle_at": 303, "open_by_handle_at": 304,
    "kexec_load": 246, "init_module": 175, "reboot": 169, "swapon": 167, "acct": 163,
    "settimeofday": 164, "sethostname": 170, "syslog": 103, "quotactl": 179, "clone3": 435,
    "personality": 135, "vmsplice": 278, "chroot": 161,
}  # fmt: skip


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86-64")
def test_calls_that_no_notebook_makes_do_not_exist(kernel):
    source = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
there = []
for name, number in {CALLS_X86_64}.items():
    ctypes.set_errno(0)
    if libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != {ENOSYS}:
        there.append(name)
print(there)
"""
    assert printed(kernel, source) == "[]\n"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86-64")
def test_those_calls_exist_outside():
    """Otherwise the test above would prove nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    for name in ("keyctl", "memfd_create", "shmget", "unshare"):
        ctypes.set_errno(0)
        libc.syscall(CALLS_X86_64[name], 0, 0, 0, 0, 0, 0)
        assert ctypes.get_errno() != ENOSYS


def test_no_namespace_can_be_made_by_clone(kernel):
    # CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD; a child would end at once.
    source = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
pid = libc.syscall(56 if os.uname().machine == "x86_64" else 220, 0x10020011, 0, 0, 0, 0)
if pid == 0: os._exit(0)
print(pid, ctypes.get_errno())
"""
    assert printed(kernel, source) == f"-1 {ENOSYS}\n"


@pytest.mark.parametrize("family", ["AF_NETLINK", "AF_VSOCK", "AF_PACKET", "AF_ALG", "AF_CAN"])
def test_sockets_reach_nothing_outside_the_sandbox(kernel, family):
    source = f"import socket; socket.socket(socket.{family}, socket.SOCK_RAW)"
    assert error(kernel, source).startswith("OSError: [Errno 38]")


@pytest.mark.parametrize("protocol", ["IPPROTO_SCTP", "IPPROTO_MPTCP", "IPPROTO_RAW"])
def test_no_protocol_loads_a_kernel_module(kernel, protocol):
    source = f"import socket; socket.socket(socket.AF_INET, 1, socket.{protocol})"
    numbers = "import socket; socket.IPPROTO_MPTCP = 262\n"
    assert error(kernel, numbers + source).startswith("OSError: [Errno 38]")


def test_processes_of_the_sandbox_talk_to_each_other(kernel):
    source = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
client.sendall(b"hello")
print(server.accept()[0].recv(5))
"""
    assert printed(kernel, source) == "b'hello'\n"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="calls of 32-bit programs")
def test_a_call_by_another_convention_ends_the_process(folders):
    source = """
import ctypes, mmap, os
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
child = os.fork()
if not child: os._exit(call() and 1)
print(os.WTERMSIG(os.waitpid(child, 0)[1]))
"""
    with start(folders) as session:
        assert printed(session, source) == "31\n"  # SIGSYS


# ------------------------------------------------------------------------------------------------
# What is shown

PLACES = [
    "/usr/src", "/usr/local/share", "/usr/share", "/opt", "/srv", "/var/lib", "/var/tmp", "/home",
    "/root", "/mnt", "/etc", "/run", "/tmp", "/dev/shm",
]  # fmt: skip


def test_canaries_are_not_found(folders):
    """Student code finds no checkout, course or home, wherever people keep them."""
    name = f"canary-{uuid.uuid4()}"
    checkout = Path(__file__).parents[3]
    places = [Path(place) for place in PLACES] + [
        Path.home(),
        checkout,
        folders,
        folders / "course",
    ]
    planted = []
    try:
        for place in dict.fromkeys(places):
            if place.is_dir() and os.access(place, os.W_OK):
                (place / name).write_text("secret")
                planted.append(place / name)
        assert len(planted) >= 4
        source = f"import os\nprint([f for f, _, names in os.walk('/') if {name!r} in names])"
        with start(folders) as session:
            assert printed(session, source) == "[]\n"
    finally:
        for path in planted:
            path.unlink()


def test_no_source_notebook_test_or_repository_is_found(kernel):
    source = """
import os
print([f"{folder}/{n}" for folder, folders, names in os.walk("/") for n in folders + names
       if n == ".git" or n == "nbgrader_steps.py" or n == "test_walls.py"
       or n.endswith(".ipynb") and "site-packages" not in folder])
"""
    assert printed(kernel, source) == "[]\n"


def test_only_one_file_of_the_data_is_shown(folders):
    (folders / "data").mkdir()
    (folders / "data" / "cifar10.npz").write_bytes(b"images")
    (folders / "data" / "private").write_bytes(b"secret")
    session = Session(
        build=folders / "build",
        submission=folders / "submission",
        data=folders / "data" / "cifar10.npz",
        template=kernels.template,
    )
    with session:
        assert printed(session, "import os; print(os.listdir(os.environ['COURSE_DATA']))") == (
            "['cifar10.npz']\n"
        )


def test_the_shown_folders_of_programs_are_separate():
    found = shown.programs()
    assert Path("/usr") not in found
    assert not [a for a in found for b in found if a != b and a.is_relative_to(b)]


@pytest.mark.parametrize("inside", [".", "app", "python3/dist-packages/app"])
def test_a_private_folder_must_not_be_inside_a_shown_one(tmp_path, inside):
    with pytest.raises(shown.Exposed, match=r"The course folder .* lies in"):
        shown.require_hidden({"the course folder": tmp_path / inside}, [tmp_path])


def test_a_link_to_what_is_shown_is_followed(tmp_path):
    (tmp_path / "lib" / "course").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "lib" / "course")
    with pytest.raises(shown.Exposed):
        shown.require_hidden({"the course folder": tmp_path / "link"}, [tmp_path / "lib"])


def test_an_environment_inside_a_checkout_is_accepted(tmp_path):
    shown.require_hidden({"the checkout": tmp_path}, [tmp_path / ".venv" / "lib"])


def test_homes_of_people_are_private_and_those_of_services_are_not():
    found = shown.homes()
    assert Path.home() in found.values()
    shown.require_hidden(found, shown.programs())


def test_an_installed_package_of_ours_appears_empty(folders, monkeypatch):
    """After `pip install` without -e, it is in a folder that the sandbox shows."""
    (folders / "lib" / "autograder").mkdir(parents=True)
    (folders / "lib" / "autograder" / "secret").write_text("answers")
    (folders / "lib" / "numpy").write_text("public")
    (folders / "lib").chmod(0o755)
    monkeypatch.setattr(shown, "SYSTEM", (*shown.SYSTEM, str(folders / "lib")))
    masks = shown.masked([folders / "lib" / "autograder", folders / "course"], shown.programs())
    assert masks == [folders / "lib" / "autograder"]
    session = Session(
        build=folders / "build",
        submission=folders / "submission",
        masks=tuple(masks),
        template=kernels.template,
    )
    with session:
        source = (
            f"import os; print(os.listdir('{folders}/lib/autograder'), os.listdir('{folders}/lib'))"
        )
        assert printed(session, source) == "[] ['autograder', 'numpy']\n"
