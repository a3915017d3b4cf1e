"""A forked kernel is like one that is started by itself, but for what it has imported."""

import ast
import os
import subprocess
import sys

import psutil
import pytest
from kernels import printed, start

from autograder.sandbox import template
from autograder.temporary import sweep

FACTS = """
import os, resource, sys

def read(path):
    return open(path).read()

NAMES = (
    "Uid Gid Groups CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Seccomp_filters Threads "
    "Umask SigBlk SigIgn"
).split()
status = dict(line.split(":", 1) for line in read("/proc/self/status").splitlines())
limits = [name for name in dir(resource) if name.startswith("RLIMIT")]
variables = dict(os.environ)
print({
    "status": {name: status[name].split() for name in NAMES},
    "limits": {name: resource.getrlimit(getattr(resource, name)) for name in limits},
    "descriptors": sorted(os.listdir("/proc/self/fd")),
    "places": [os.getcwd(), *sorted(os.listdir("/"))],
    # Numbers of mounts and of devices differ from one sandbox to the next.
    "mounts": [line.split()[4:6] for line in read("/proc/self/mountinfo").splitlines()],
    "path": sys.path,
    "arguments": sys.argv,
    "flags": str(sys.flags),
    "variables": {name: variables[name] for name in sorted(variables) if name != "PWD"},
    "users": read("/proc/self/uid_map").split(),
    "groups": read("/proc/self/cgroup"),
})
"""
NAMESPACES = """
import os
print({name: os.readlink(f"/proc/self/ns/{name}") for name in os.listdir("/proc/self/ns")})
"""


def descendants():
    return set(psutil.Process().children(recursive=True))


@pytest.fixture
def forked(folders, imported, monkeypatch):
    """Return a function that starts a kernel forked from a template."""

    def start_forked():
        monkeypatch.setattr("kernels.template", imported)
        return start(folders)

    return start_forked


def test_it_has_the_same_rights_limits_and_surroundings(folders, forked):
    with start(folders) as by_itself, forked() as session:
        found = [ast.literal_eval(printed(kernel, FACTS)) for kernel in (by_itself, session)]
    for fact, value in found[0].items():
        assert found[1][fact] == value, fact


def test_each_has_namespaces_of_its_own(forked):
    own = {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"}
    with forked() as one, forked() as other:
        found = [ast.literal_eval(printed(kernel, NAMESPACES)) for kernel in (one, other)]
    here = {name: os.readlink(f"/proc/self/ns/{name}") for name in own}
    for name in own:
        assert len({found[0][name], found[1][name], here[name]}) == 3, name


def test_the_packages_of_the_course_are_there_at_once(forked):
    with forked() as session:
        assert printed(session, "import sys; print('torch' in sys.modules)") == "True\n"


def test_most_of_its_memory_is_shared(forked):
    with forked() as session:
        session.run("import torch; x = torch.ones(3) @ torch.ones(3)")
        assert session._kernel.memory_full_info().uss < 150e6


@pytest.mark.parametrize(
    "draw",
    ["random.random()", "np.random.rand()", "torch.rand(1)", "np.random.default_rng().random()"],
)
def test_kernels_draw_different_random_numbers(forked, draw):
    source = f"import random, torch, numpy as np; print({draw})"
    with forked() as one, forked() as other:
        assert printed(one, source) != printed(other, source)


def test_nothing_of_one_kernel_reaches_the_next(forked):
    with forked() as session:
        session.run("import numpy as np; np.pi = 3; open('/tmp/left', 'w').write('x')")
    with forked() as session:
        source = "import numpy as np, os; print(np.pi > 3, os.path.exists('/tmp/left'))"
        assert printed(session, source) == "True False\n"


def test_without_a_template_kernels_are_started_and_this_is_said(folders, monkeypatch, capsys):
    template.say_cold.cache_clear()
    before = descendants()
    with template.started(["json"], 1) as process:
        monkeypatch.setattr("kernels.template", process)
        with start(folders) as session:
            assert session._kernel is not None
        for started in descendants() - before:
            started.kill()
        with start(folders) as session:
            assert printed(session, "print(1 + 1)") == "2\n"
    assert "Each kernel imports its packages by itself" in capsys.readouterr().err


def test_a_package_that_is_not_installed_is_left_out(folders, monkeypatch):
    with template.started(["no_such_package", "json.tool"], 1) as process:
        monkeypatch.setattr("kernels.template", process)
        with start(folders) as session:
            assert printed(session, "import sys; print('json.tool' in sys.modules)") == "True\n"
            assert session._kernel is not None


def test_the_template_ends_with_its_block_and_kernels_go_on(folders, monkeypatch):
    before = descendants()
    with template.started(["json"], 1) as process:
        monkeypatch.setattr("kernels.template", process)
        session = start(folders)
    with session:
        assert printed(session, "print(1 + 1)") == "2\n"
    _, left = psutil.wait_procs(descendants() - before, timeout=5)
    assert left == []


def test_the_folder_of_a_killed_template_is_swept(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    program = """
import os, time
from autograder.sandbox import template
with template.started(["matplotlib.font_manager"], 1):
    time.sleep(5)
    os.kill(os.getpid(), 9)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment)
    assert list(tmp_path.iterdir()) != []
    sweep()
    assert list(tmp_path.iterdir()) == []
