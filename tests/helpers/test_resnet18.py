"""ResNet-18 is that of torchvision; its weights are downloaded once."""

import hashlib

import pytest
import torch
from file_server import serving

from helpers import resnet18
from helpers.data_folder import DataMissing
from helpers.resnet18 import ResNet18, pretrained_resnet18


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Return a folder with a file of random weights, and the checksum of the file."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    torch.manual_seed(0)
    torch.save(ResNet18().state_dict(), folder / resnet18.FILE)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    return folder, hashlib.sha256((folder / resnet18.FILE).read_bytes()).hexdigest()


def same_weights(model, other):
    found, expected = model.state_dict(), other.state_dict()
    return found.keys() == expected.keys() and all(
        torch.equal(found[k], expected[k]) for k in found
    )


def test_the_network_is_that_of_torchvision():
    models = pytest.importorskip("torchvision").models
    torch.manual_seed(0)
    theirs = models.resnet18(num_classes=10).eval()
    ours = ResNet18(10).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))


def test_the_file_is_that_of_torchvision():
    models = pytest.importorskip("torchvision").models
    url = models.ResNet18_Weights.IMAGENET1K_V1.url
    assert url == f"{resnet18.HOME}/{resnet18.FILE}"
    assert resnet18.SHA256 in resnet18.FILE


def test_a_download_is_cached_and_verified(mirror, monkeypatch):
    folder, sha256 = mirror
    with serving(folder) as (server, url):
        monkeypatch.setenv("COURSE_MIRROR", url)
        first = pretrained_resnet18(sha256[:8])
        second = pretrained_resnet18(sha256[:8])
        assert server.requests == [None]
    torch.manual_seed(0)
    assert same_weights(first, ResNet18())
    assert same_weights(second, first)
    assert not first.training


def test_an_interrupted_download_resumes(mirror, monkeypatch):
    folder, sha256 = mirror
    with serving(folder, cut_after=1_000_000) as (_, url):
        monkeypatch.setenv("COURSE_MIRROR", url)
        with pytest.raises(DataMissing, match=r"ended after 1,000,000 .*resumes where it stopped"):
            pretrained_resnet18(sha256)
    with serving(folder) as (server, url):
        monkeypatch.setenv("COURSE_MIRROR", url)
        pretrained_resnet18(sha256)
        assert server.requests == ["bytes=1000000-"]


def test_a_file_with_another_checksum_is_refused(mirror, monkeypatch):
    folder, _ = mirror
    with serving(folder) as (_, url):
        monkeypatch.setenv("COURSE_MIRROR", url)
        with pytest.raises(DataMissing, match="checksum differs"):
            pretrained_resnet18("0" * 64)


@pytest.mark.parametrize("content", [b"", b"no weights", {"fc.weight": torch.ones(2)}, [1, 2]])
def test_a_damaged_file_is_named(mirror, tmp_path, content):
    path = tmp_path / "data" / resnet18.FILE
    path.parent.mkdir()
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(DataMissing, match="damaged or not ResNet-18: delete it"):
        pretrained_resnet18()


def test_without_a_network_the_message_names_the_three_ways_out(mirror, monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(DataMissing, match=r"internet .*COURSE_MIRROR .*COURSE_DATA"):
        pretrained_resnet18()
