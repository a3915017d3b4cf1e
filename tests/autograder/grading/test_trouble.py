"""A gradebook or a disk that refuses is said in one sentence, which says what to do."""

import errno
import os
import re
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from autograder.grading.trouble import (
    DiskTrouble,
    concerns_everybody,
    disk_trouble_explained,
    explained,
)

SQLITE = {
    "database is locked": "the gradebook is in use by another program",
    "attempt to write a readonly database": "the gradebook cannot be written",
    "database or disk is full": "the disk is full",
    "disk I/O error": "the disk reports an error",
    "file is not a database": "the gradebook is damaged",
    "database disk image is malformed": "the gradebook is damaged",
    "no such column: grade.extra": "the gradebook was made by another version of nbgrader",
}
DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
    errno.EROFS: "a file or folder of the course cannot be written",
    errno.EACCES: "a file or folder of the course cannot be written",
    errno.EIO: "the disk reports an error",
}


def raised(error):
    with pytest.raises(DiskTrouble) as trouble, disk_trouble_explained():
        raise error
    return str(trouble.value)


@pytest.mark.parametrize(("message", "sentence"), SQLITE.items())
def test_a_gradebook_that_refuses_is_explained(message, sentence):
    error = OperationalError("UPDATE grade", {}, sqlite3.OperationalError(message))
    text = raised(error)
    assert text.lower().startswith(sentence)
    assert re.search(r"(Nothing is lost; t|Then t)he same command goes on from t?here\.$", text)
    assert sentence in explained(f"NbGraderException: {type(error).__name__}: {error}", "`x`")


@pytest.mark.parametrize(("code", "sentence"), DISK.items())
def test_a_disk_that_refuses_is_explained(code, sentence):
    assert raised(OSError(code, os.strerror(code), "/course/x")).lower().startswith(sentence)


def test_trouble_with_the_gradebook_concerns_everybody_and_with_a_file_perhaps_only_one():
    assert concerns_everybody("OperationalError: database is locked")
    assert concerns_everybody("OSError: [Errno 28] No space left on device")
    assert not concerns_everybody("PermissionError: [Errno 13] Permission denied: 'submitted/ada'")
    assert not concerns_everybody("TypeError: it is full")


def test_an_error_of_ours_is_not_blamed_on_the_disk():
    with pytest.raises(FileNotFoundError), disk_trouble_explained():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "x")
    assert explained("TypeError: it is full", "`x`") == "TypeError: it is full"
