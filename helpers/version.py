"""Which version of `helpers` this kernel uses: every release of an assignment has its own."""

import helpers

__all__ = ["VersionError", "check_version"]


class VersionError(Exception):
    """The kernel does not use the version that it should; the message says what to do."""


def check_version(wheel: str) -> None:
    """Say which version of `helpers` this kernel uses, if it is that of the wheel.

    Parameters
    ----------
    wheel
        Name of the wheel beside the notebook, as the setup cell has installed it.

    Raises
    ------
    VersionError
        If the kernel imported another version before, or if pip could not install the wheel.
    """
    if f"-{helpers.__version__}-" not in wheel:
        raise VersionError(
            f"This kernel uses helpers {helpers.__version__}, but the file beside this notebook is "
            f"{wheel}. Restart the kernel, and run this cell again. If this message comes back, "
            "pip could not install the file; its own message says why."
        )
    print(f"helpers {helpers.__version__}, from {wheel}")
