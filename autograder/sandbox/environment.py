"""The environment variables of a kernel."""

from __future__ import annotations

import sys
from pathlib import Path


def kernel_environment(
    home: str, path: str, data: str, profile: str, threads: int
) -> dict[str, str]:
    """Return all environment variables of a kernel.

    Parameters
    ----------
    home
        Its scratch folder.
    path
        The folders of our own packages, as in ``PYTHONPATH``.
    data
        The folder of the data sets.
    profile
        ``quick`` or ``full``.
    threads
        Threads of torch and numpy.
    """
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": home,
        "USER": "student",
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "COURSE_DATA": data,
        "COURSE_GRADING": "1",
        "COURSE_PROFILE": profile,
    }
