"""Build what learning management systems and people give out, in a folder, a zip or a tar."""

import io
import os
import tarfile
import zipfile

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

ASSIGNMENT = "pruning"
ANSWER = "a = 1"


def notebook(answer):
    """Return the bytes of a notebook with one answer; the release has the answer `ANSWER`."""
    cell = new_code_cell(answer, metadata={"nbgrader": {"grade_id": "a", "solution": True}})
    cell["id"] = "a"
    return nbformat.writes(new_notebook(cells=[cell])).encode()


def answer_in(path):
    """Return the answer in the notebook at `path`."""
    return nbformat.read(path, as_version=4).cells[0].source


ADA, BEN, OLD = notebook("ada"), notebook("ben"), notebook("old")
PACKED = {"pruning.ipynb": ADA, "artifacts/quick/w.json": b"1"}
"""What `pack` makes."""
PACKED_BEN = {"pruning.ipynb": BEN, "artifacts/quick/w.json": b"1"}


def zipped(files):
    """Return the bytes of a zip; a dictionary stands for a zip within it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, zipped(data) if isinstance(data, dict) else data)
    return content.getvalue()


def tarred(files, mode="w:gz"):
    """Return the bytes of a tar."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for name, data in files.items():
            data = zipped(data) if isinstance(data, dict) else data
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def write(folder, files, times=None):
    """Write files into a folder; `times` has the time of last change of some of them."""
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zipped(data) if isinstance(data, dict) else data)
        os.utime(path, (when := (times or {}).get(name, 1.6e9), when))


def leaves(files, above=()):
    """Return the path of every file, where an archive that is a dictionary counts as a folder."""
    found = set()
    for name, data in files.items():
        parts = (*above, *name.replace("\\", "/").split("/"))
        if name.startswith("drive-download"):
            parts = above  # the parts of Drive's download are seen as one folder
        found |= leaves(data, parts) if isinstance(data, dict) else {parts}
    return found
