"""Wheels that tests install."""

import zipfile

__all__ = ["write_wheel"]


def write_wheel(folder, package, version, files, *, name=None, needs=()):
    """Write a wheel; return its path.

    Parameters
    ----------
    folder
        Where it is written.
    package, version
        Its name, with underscores, and its version.
    files
        The texts of its files, by their paths.
    name
        The name of the wheel. By default, the one that it should have.
    needs
        Its requirements, such as ``["torch>=2.4"]``.
    """
    about = f"{package}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {need}\n" for need in needs)
    files = {
        **files,
        f"{about}/METADATA": metadata,
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{about}/RECORD"])
    path = folder / (name or f"{package}-{version}-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in (files | {f"{about}/RECORD": record}).items():
            archive.writestr(file, text)
    return path
