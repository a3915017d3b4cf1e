"""A file is replaced whole or not at all."""

import pytest

from helpers.files import replacing


def test_the_new_content_appears_at_the_end_and_not_before(tmp_path):
    path = tmp_path / "new folder" / "file"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_an_interruption_leaves_the_old_content_and_no_other_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def interrupted():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
