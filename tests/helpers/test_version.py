"""The setup cell says which version of `helpers` is active, and when the kernel must restart."""

import pytest

import helpers
from helpers.version import VersionError, check_version

INSTALLED = "efficient_dl_course-0.1.0+c0123456789ab-py3-none-any.whl"


def test_the_active_version_is_said_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(helpers, "__version__", "0.1.0+c0123456789ab")
    check_version(INSTALLED)
    assert capsys.readouterr().out == f"helpers 0.1.0+c0123456789ab, from {INSTALLED}\n"


@pytest.mark.parametrize("version", ["0.1.0", "0.1.0+c0123456789a", "0.1.0+cba9876543210"])
def test_a_kernel_with_another_version_must_be_restarted(monkeypatch, version):
    monkeypatch.setattr(helpers, "__version__", version)
    with pytest.raises(VersionError, match="Restart the kernel"):
        check_version(INSTALLED)
