"""The setup cell installs the wheel beside its notebook or at its address, whatever is installed.

It runs in an environment of its own, with small wheels and without a network but a server on this
machine.
"""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from file_server import serving
from separate_environment import make_environment
from small_wheel import write_wheel
from source_notebook import cells

HELPERS = Path(__file__).parents[2] / "helpers"
FIRST, SECOND = "0.1.0+c000000000001", "0.1.0+c000000000002"
OF_THE_FIRST_COURSE = "0.1.0"  # before every release had a version of its own

# Runs a cell in each of some folders, one after the other in one kernel, and says what came of it.
# On Colab, the browser offers the files of a folder for an upload; there may be none.
KERNEL = """
import io, json, os, shutil, sys, types
from contextlib import redirect_stdout
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell

source, colab, *folders = json.loads(sys.stdin.read())
uploads = []

def upload():
    uploads.append(os.getcwd())
    names = sorted(os.listdir(colab))
    return {name: Path(shutil.copy(Path(colab, name), name)).read_bytes() for name in names}

if colab is not None:
    sys.modules["google"] = types.ModuleType("google")
    sys.modules["google.colab"] = types.ModuleType("google.colab")
    sys.modules["google.colab"].files = types.SimpleNamespace(upload=upload)
shell, found = InteractiveShell.instance(colors="nocolor"), []
for folder in folders:
    os.chdir(folder)
    with redirect_stdout(io.StringIO()) as said:
        error = shell.run_cell(source).error_in_exec
    loaded = sys.modules.get("helpers")
    found.append({
        "version": getattr(loaded, "__version__", None),
        "said": said.getvalue(),
        "error": "" if error is None else f"{type(error).__name__}: {error}",
        "uploads": len(uploads),
    })
sys.stdout.write("RESULT" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return the Python of an environment with this one's packages, but without the course."""
    return make_environment(tmp_path_factory.mktemp("environment"))


def wheel(folder, version, name=None, needs=()):
    """Write a wheel of `helpers` that holds nothing but its version; return its path."""
    files = {
        "helpers/__init__.py": f'__version__ = "{version}"\n',
        "helpers/version.py": (HELPERS / "version.py").read_text(),
    }
    return write_wheel(folder, "efficient_dl_course", version, files, name=name, needs=needs)


@pytest.fixture
def folders(tmp_path):
    """Return the folders of two assignments, each with its wheel."""
    found = {}
    for version in (FIRST, SECOND):
        found[version] = tmp_path / version
        found[version].mkdir()
        wheel(found[version], version)
    return found


def installation():
    """Return the first part of the setup cell, which is the same in all notebooks."""
    (cell,) = [cell for cell in cells("pruning") if cell.id == "setup"]
    return re.match(r".*?\n    install_missing\(\)\n", cell.source, re.DOTALL)[0]


def with_address(file, server):
    """Return the first part of the setup cell as it is released, with a wheel on a server."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    address = f'ADDRESS = "{server}/{quote(file.name)}#sha256={digest}"'
    assert installation().count('ADDRESS = ""') == 1
    return installation().replace('ADDRESS = ""', address)


def run(python, *folders, source=None, colab=None, **environment):
    """Run the setup cell in a fresh kernel, in one folder after the other.

    With `colab`, which is a folder, it runs on Colab, and its browser uploads what is in there.
    """
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "COURSE_GRADING")}
    home = python.parents[1]
    done = subprocess.run(
        [python, "-c", KERNEL],
        input=json.dumps([source or installation(), colab and str(colab), *map(str, folders)]),
        env=inherited
        | {"PIP_NO_INDEX": "1", "IPYTHONDIR": str(home), "HOME": str(home), **environment},
        cwd=folders[0],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.rpartition("RESULT")[2])


def test_two_assignments_work_in_one_environment_one_after_the_other_and_back(python, folders):
    wheel(folders[FIRST].parent, OF_THE_FIRST_COURSE)
    old = folders[FIRST].parent / f"efficient_dl_course-{OF_THE_FIRST_COURSE}-py3-none-any.whl"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-index", old]
    subprocess.run(pip, check=True, capture_output=True, cwd=folders[FIRST])
    for version in (FIRST, SECOND, FIRST):
        (kernel,) = run(python, folders[version])
        assert kernel["error"] == ""
        assert kernel["version"] == version


def test_nothing_is_installed_if_the_version_is_there(python, folders):
    run(python, folders[FIRST])
    (kernel,) = run(python, folders[FIRST], PIP_CONFIG_FILE="/no/such/file", PIP_TIMEOUT="broken")
    assert kernel == {"version": FIRST, "said": "", "error": "", "uploads": 0}


def test_a_kernel_that_uses_another_version_is_told_to_restart(python, folders):
    first, second = run(python, folders[FIRST], folders[SECOND])
    assert first["error"] == ""
    assert second["error"].startswith(f"VersionError: This kernel uses helpers {FIRST}, but")
    assert "Restart the kernel" in second["error"]
    (restarted,) = run(python, folders[SECOND])
    assert (restarted["version"], restarted["error"]) == (SECOND, "")


def test_two_wheels_beside_a_notebook_are_named_and_none_is_installed(python, folders):
    run(python, folders[FIRST])
    wheel(folders[SECOND], "0.1.0+c000000000003")
    (kernel,) = run(python, folders[SECOND])
    assert (
        "ImportError: The package of this notebook is missing. Put one file efficient_dl"
        in kernel["error"]
    )
    assert f"{SECOND}-py3-none-any.whl" in kernel["error"]
    assert "c000000000003-py3-none-any.whl" in kernel["error"]


def test_a_folder_without_a_wheel_says_what_belongs_there(python, tmp_path):
    (kernel,) = run(python, tmp_path)
    assert "Put one file efficient_dl_course-*-any.whl, the newest, beside" in kernel["error"]


def test_a_second_download_of_the_same_file_is_not_installed(python, folders):
    name = f"efficient_dl_course-{SECOND}-py3-none-any (1).whl"
    wheel(folders[FIRST], SECOND, name)
    (kernel,) = run(python, folders[FIRST])
    assert (kernel["version"], kernel["error"]) == (FIRST, "")


def test_a_grader_installs_nothing_that_was_handed_in(python, folders):
    run(python, folders[FIRST])
    (kernel,) = run(python, folders[SECOND], COURSE_GRADING="1")
    assert (kernel["version"], kernel["said"], kernel["error"]) == (None, "", "")
    (after,) = run(python, folders[FIRST], PIP_TIMEOUT="broken")
    assert (after["version"], after["error"]) == (FIRST, "")


def test_the_environment_of_an_instructor_keeps_the_whole_course(python, folders, tmp_path):
    (tmp_path / "autograder").mkdir()
    (tmp_path / "autograder" / "__init__.py").touch()
    (kernel,) = run(python, folders[SECOND], PYTHONPATH=str(tmp_path))
    assert (kernel["version"], kernel["said"], kernel["error"]) == (None, "", "")


# ------------------------------------------------------------------------------------------------
# A notebook alone


@pytest.fixture
def alone(tmp_path):
    """Return a folder in which there is no wheel."""
    (tmp_path / "alone").mkdir()
    return tmp_path / "alone"


@pytest.fixture
def on_server(tmp_path):
    """Return a wheel in a folder for a server."""
    (tmp_path / "server").mkdir()
    return wheel(tmp_path / "server", "0.1.0+c000000000004")


def test_a_notebook_alone_downloads_its_wheel_once(python, alone, on_server):
    with serving(on_server.parent) as (server, address):
        for _ in range(2):
            (kernel,) = run(python, alone, source=with_address(on_server, address))
            assert kernel == {
                "version": "0.1.0+c000000000004",
                "said": "",
                "error": "",
                "uploads": 0,
            }
    assert len(server.requests) == 1


def test_a_wheel_beside_the_notebook_comes_before_its_address(python, folders, on_server):
    with serving(on_server.parent) as (server, address):
        (kernel,) = run(python, folders[FIRST], source=with_address(on_server, address))
    assert (kernel["version"], kernel["error"], server.requests) == (FIRST, "", [])


def test_a_wheel_with_another_digest_is_not_installed(python, folders, alone, on_server):
    run(python, folders[FIRST])
    with serving(on_server.parent) as (_, address):
        source = with_address(on_server, address)
        wheel(on_server.parent, "0.1.0+c000000000009", on_server.name)
        (kernel,) = run(python, alone, source=source)
    assert kernel["version"] is None
    assert kernel["error"].startswith(
        "ImportError: The package of this notebook is missing. Put one"
    )
    assert "Expected sha256" in kernel["error"]
    (after,) = run(python, folders[FIRST], PIP_TIMEOUT="broken")
    assert (after["version"], after["error"]) == (FIRST, "")


def test_a_server_that_is_gone_is_named_with_what_to_do(python, folders, alone, on_server):
    run(python, folders[FIRST])
    with serving(on_server.parent) as (_, address):
        source = with_address(on_server, address)
    (kernel,) = run(python, alone, source=source)
    assert kernel["error"].startswith(
        "ImportError: The package of this notebook is missing. Put one"
    )
    assert "Could not be installed: http://127.0.0.1" in kernel["error"]


def test_colab_offers_an_upload_if_nothing_can_be_downloaded(python, folders, alone, on_server):
    with serving(on_server.parent) as (_, address):
        source = with_address(on_server, address)
    again = {"version": SECOND, "said": "", "error": "", "uploads": 1}
    first, second = run(python, alone, alone, source=source, colab=folders[SECOND])
    assert first == {**again, "said": first["said"]}
    assert first["said"].startswith("Please upload the file efficient_dl_course-")
    assert second == again


def test_colab_offers_an_upload_if_there_is_neither_wheel_nor_address(python, folders, alone):
    (kernel,) = run(python, alone, colab=folders[FIRST])
    assert (kernel["version"], kernel["error"], kernel["uploads"]) == (FIRST, "", 1)


def test_on_colab_nothing_is_asked_for_if_the_wheel_is_there(python, folders, alone):
    (kernel,) = run(python, folders[FIRST], colab=alone)
    assert kernel == {"version": FIRST, "said": "", "error": "", "uploads": 0}


def test_an_upload_of_nothing_says_what_belongs_beside_the_notebook(python, folders, alone):
    (folders[FIRST].parent / "nothing").mkdir()
    (kernel,) = run(python, alone, colab=folders[FIRST].parent / "nothing")
    assert "Put one file efficient_dl_course-*-any.whl, the newest, beside" in kernel["error"]


# ------------------------------------------------------------------------------------------------
# What the package needs


@pytest.fixture
def lacking(tmp_path):
    """Return the Python of an environment with torch, but without a package of the course."""
    return make_environment(tmp_path / "environment", without=["latex2mathml"])


@pytest.fixture
def needy(tmp_path):
    """Return the folder of an assignment that needs torch and the package that is missing."""
    (tmp_path / "needy").mkdir()
    wheel(tmp_path / "needy", FIRST, needs=["torch>=2.4", "latex2mathml>=3.77"])
    return tmp_path / "needy"


@pytest.fixture
def index(tmp_path):
    """Return a folder from which pip installs both, each in a version that nobody has."""
    (tmp_path / "index").mkdir()
    for name in ("torch", "latex2mathml"):
        write_wheel(tmp_path / "index", name, "99.0", {f"{name}/__init__.py": "NEW = True\n"})
    return tmp_path / "index"


def installed(python):
    """Return what was installed into an environment itself."""
    folder = next(python.parents[1].glob("lib/python*/site-packages"))
    return {path.name for path in folder.glob("*.dist-info")}


def test_one_run_installs_what_is_missing_and_leaves_torch_as_it_is(lacking, needy, index):
    source = f"{installation()}\nimport latex2mathml\nassert latex2mathml.NEW"
    (kernel,) = run(lacking, needy, source=source, PIP_FIND_LINKS=str(index))
    assert (kernel["version"], kernel["said"], kernel["error"]) == (FIRST, "", "")
    assert installed(lacking) == {
        f"efficient_dl_course-{FIRST}.dist-info",
        "latex2mathml-99.0.dist-info",
    }


def test_without_a_network_the_missing_packages_are_named(lacking, needy):
    (kernel,) = run(lacking, needy)
    assert "and then this cell again: %pip install latex2mathml\n" in kernel["error"]


def test_what_could_not_be_installed_is_installed_by_a_later_run(lacking, needy, index):
    run(lacking, needy)
    (kernel,) = run(lacking, needy, PIP_FIND_LINKS=str(index))
    assert (kernel["version"], kernel["error"]) == (FIRST, "")
