"""CIFAR-10 is downloaded once, in several attempts if necessary; failures say what to do."""

import hashlib
import io
import pickle
import re
import tarfile

import numpy as np
import pytest
from file_server import serving

from helpers import cifar10
from helpers import data_folder as data_folder_module
from helpers.data import load
from helpers.download import DownloadError, download
from helpers.images import sort_by_digest

PER_BATCH = 3


def make_archive(path, batches):
    """Write an archive in CIFAR-10's format; return its checksum."""
    with tarfile.open(path, "w:gz") as tar:
        for name, batch in batches.items():
            content = pickle.dumps(batch, protocol=2)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def fake(tmp_path):
    """Return a tiny CIFAR-10: the folder to serve, its batches, and the archive's checksum."""
    rng = np.random.default_rng(0)
    names = [name for names in cifar10.BATCHES.values() for name in names]
    batches = {
        name: {
            b"data": rng.integers(0, 256, (PER_BATCH, 3072), dtype=np.uint8),
            b"labels": rng.integers(0, 10, PER_BATCH).tolist(),
        }
        for name in names
    }
    folder = tmp_path / "mirror"
    folder.mkdir()
    return folder, batches, make_archive(folder / cifar10.ARCHIVE, batches)


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_download_is_cached_as_plain_arrays(fake, data_folder, monkeypatch):
    folder, _, md5 = fake
    with serving(folder) as (server, url):
        monkeypatch.setenv("COURSE_MIRROR", url)
        first = cifar10.load_arrays(md5)
        second = cifar10.load_arrays(md5)
        assert len(server.requests) == 1
    assert {path.name for path in data_folder.iterdir()} == {cifar10.CACHE}
    with np.load(data_folder / cifar10.CACHE) as stored:
        assert set(stored) == {"train_images", "train_labels", "test_images", "test_labels"}
    for name, array in first.items():
        assert array.dtype == np.uint8
        assert np.array_equal(array, second[name])


def test_the_arrays_are_the_archives_images_in_the_order_of_their_digests(fake):
    folder, batches, _ = fake
    arrays = cifar10.read_archive(folder / cifar10.ARCHIVE)
    assert arrays["train_images"].shape == (5 * PER_BATCH, 32, 32, 3)
    assert np.array_equal(sort_by_digest(arrays["train_images"]), np.arange(5 * PER_BATCH))
    found = {
        (image.transpose(2, 0, 1).tobytes(), int(label))
        for image, label in zip(arrays["train_images"], arrays["train_labels"], strict=True)
    }
    expected = {
        (row.tobytes(), label)
        for name in cifar10.BATCHES["train"]
        for row, label in zip(batches[name][b"data"], batches[name][b"labels"], strict=True)
    }
    assert found == expected


def test_the_data_set_is_built_from_the_arrays(fake, data_folder, monkeypatch):
    folder, _, _ = fake
    arrays = cifar10.read_archive(folder / cifar10.ARCHIVE)
    data_folder.mkdir()
    np.savez(data_folder / cifar10.CACHE, **arrays)
    dataset = load("cifar10", device="cpu")
    assert dataset.flip
    assert dataset.test.images.shape == (PER_BATCH, 3, 32, 32)
    assert np.array_equal(dataset.train.images.permute(0, 2, 3, 1).numpy(), arrays["train_images"])


def test_without_a_mirror_the_archive_is_that_of_torchvision(data_folder, monkeypatch):
    def refuse(*asked, method):
        raise DownloadError(repr(asked))

    theirs = pytest.importorskip("torchvision.datasets").CIFAR10
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.setattr(data_folder_module, "download", refuse)
    wanted = (theirs.url, data_folder / cifar10.ARCHIVE, theirs.tgz_md5)
    with pytest.raises(cifar10.DataMissing, match=re.escape(repr(wanted))):
        cifar10.load_arrays()


def test_an_interrupted_download_continues_where_it_stopped(fake, tmp_path):
    folder, _, md5 = fake
    destination = tmp_path / "data" / "file.tar.gz"
    half = (folder / cifar10.ARCHIVE).stat().st_size // 2
    with serving(folder, cut_after=half) as (_, url), pytest.raises(DownloadError, match="ended"):
        download(f"{url}/{cifar10.ARCHIVE}", destination, md5)
    assert not destination.exists()
    with serving(folder) as (server, url):
        download(f"{url}/{cifar10.ARCHIVE}", destination, md5)
        assert server.requests == [f"bytes={half}-"]
    assert destination.read_bytes() == (folder / cifar10.ARCHIVE).read_bytes()
    assert [path.name for path in destination.parent.iterdir()] == ["file.tar.gz"]


def test_a_server_without_ranges_sends_the_whole_file_again(fake, tmp_path):
    folder, _, md5 = fake
    destination = tmp_path / "file.tar.gz"
    (tmp_path / "file.tar.gz.part").write_bytes(b"what an earlier call left")
    with serving(folder, ranges=False) as (_, url):
        download(f"{url}/{cifar10.ARCHIVE}", destination, md5)
    assert destination.read_bytes() == (folder / cifar10.ARCHIVE).read_bytes()


def test_a_partial_file_that_is_already_complete_is_used(fake, tmp_path):
    folder, _, md5 = fake
    content = (folder / cifar10.ARCHIVE).read_bytes()
    (tmp_path / "file.tar.gz.part").write_bytes(content)
    with serving(folder) as (_, url):
        download(f"{url}/{cifar10.ARCHIVE}", tmp_path / "file.tar.gz", md5)
    assert (tmp_path / "file.tar.gz").read_bytes() == content


def test_a_wrong_file_is_refused_and_removed(fake, data_folder, monkeypatch):
    folder, _, _ = fake
    with serving(folder) as (_, url):
        monkeypatch.setenv("COURSE_MIRROR", url)
        with pytest.raises(cifar10.DataMissing, match="checksum differs"):
            cifar10.load_arrays(md5="0" * 32)
    assert list(data_folder.iterdir()) == []


def test_without_network_and_cache_one_error_says_what_to_do(data_folder, monkeypatch):
    with serving(data_folder) as (_, url):
        pass  # nothing listens at this address any more
    monkeypatch.setenv("COURSE_MIRROR", url)
    with pytest.raises(cifar10.DataMissing) as caught:
        cifar10.load_arrays()
    message = str(caught.value)
    for word in (str(data_folder), url, "COURSE_MIRROR", "COURSE_DATA", "cifar10.npz"):
        assert word in message


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 a torn archive"])
def test_a_damaged_cache_says_what_to_do(data_folder, content):
    data_folder.mkdir()
    (data_folder / cifar10.CACHE).write_bytes(content)
    with pytest.raises(cifar10.DataMissing, match="delete it"):
        cifar10.load_arrays()


def test_a_cache_of_other_images_is_refused(data_folder):
    data_folder.mkdir()
    np.savez(
        data_folder / cifar10.CACHE,
        train_images=np.zeros((2, 3, 32, 32), np.uint8),
        train_labels=np.zeros(2, np.uint8),
        test_images=np.zeros((2, 3, 32, 32), np.uint8),
        test_labels=np.zeros(2, np.uint8),
    )
    with pytest.raises(cifar10.DataMissing, match="not CIFAR-10"):
        cifar10.load_arrays()


def test_a_hostile_archive_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "proof"), "w"))

    names = [name for names in cifar10.BATCHES.values() for name in names]
    make_archive(tmp_path / "evil.tar.gz", dict.fromkeys(names, Evil()))
    with pytest.raises(pickle.UnpicklingError, match="not allowed in the archive of CIFAR-10"):
        cifar10.read_archive(tmp_path / "evil.tar.gz")
    assert not (tmp_path / "proof").exists()


def test_the_data_folder_is_in_the_users_cache_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert cifar10.data_folder().parent == tmp_path
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "elsewhere"))
    assert cifar10.data_folder() == tmp_path / "elsewhere"
