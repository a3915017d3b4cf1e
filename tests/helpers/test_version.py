"""The setup cell says when the kernel must restart to use its version of `helpers`."""

import re

import pytest

import helpers
from helpers import version as this_version
from helpers.version import VersionError, check_version, install_missing

INSTALLED = "efficient_dl_course-0.1.0+c0123456789ab-py3-none-any.whl"


ADDRESS = f"https://example.edu/pruning/{INSTALLED.replace('+', '%2B')}#sha256=0123456789abcdef"


@pytest.fixture(autouse=True)
def needed(monkeypatch):
    """Return the requirements of the wheel, to which a test may add."""
    found = ["numpy>=1.26"]
    monkeypatch.setattr(this_version, "requires", lambda name: found)
    return found


@pytest.mark.parametrize("wheel", [INSTALLED, ADDRESS])
def test_nothing_is_said_if_the_version_is_the_one_of_the_notebook(monkeypatch, capsys, wheel):
    monkeypatch.setattr(helpers, "__version__", "0.1.0+c0123456789ab")
    check_version(wheel)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("wheel", [INSTALLED, ADDRESS])
@pytest.mark.parametrize("version", ["0.1.0", "0.1.0+c0123456789a", "0.1.0+cba9876543210"])
def test_a_kernel_with_another_version_must_be_restarted(monkeypatch, version, wheel):
    monkeypatch.setattr(helpers, "__version__", version)
    with pytest.raises(VersionError, match=re.escape(f"belongs to {INSTALLED},")) as error:
        check_version(wheel)
    assert "Restart the kernel" in str(error.value)


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch, needed):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    needed += ["no-such-package>=0.4", "scikit_learn>=1.4"]
    with pytest.raises(VersionError, match=r"%pip install no-such-package\n"):
        install_missing()


def test_torch_is_never_installed_here(monkeypatch, needed):
    monkeypatch.setattr(this_version, "distributions", lambda name: [])
    monkeypatch.setattr(this_version.subprocess, "run", None)  # nothing may be run
    needed[:] = ["torch>=2.4"]
    with pytest.raises(VersionError, match=r"%pip install torch$"):
        install_missing()
