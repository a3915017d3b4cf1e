"""A gradebook or a disk that refuses is said in one sentence, which says what to do."""

import errno
import os
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from autograder.grading.trouble import DiskTrouble, disk_trouble_explained, explained

SQLITE = {
    "database is locked": "the gradebook is in use by another program",
    "attempt to write a readonly database": "the gradebook cannot be written",
    "database or disk is full": "the disk is full",
    "disk I/O error": "the disk reports an error",
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
    assert text.endswith("Nothing is lost; the same command goes on from here.")
    assert sentence in explained(f"NbGraderException: {type(error).__name__}: {error}", "`x`")


@pytest.mark.parametrize(("code", "sentence"), DISK.items())
def test_a_disk_that_refuses_is_explained(code, sentence):
    assert raised(OSError(code, os.strerror(code), "/course/x")).lower().startswith(sentence)


def test_an_error_of_ours_is_not_blamed_on_the_disk():
    with pytest.raises(FileNotFoundError), disk_trouble_explained():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "x")
    assert explained("TypeError: it is full", "`x`") == "TypeError: it is full"
