"""ResNet-18 is that of torchvision; its weights are downloaded once."""

import functools
import hashlib
import http.server
import threading
from contextlib import contextmanager

import pytest
import torch

from helpers import resnet18
from helpers.cifar10 import DataMissing
from helpers.resnet18 import ResNet18, pretrained_resnet18


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with ranges; may cut a connection short."""

    def do_GET(self):
        content = (self.server.folder / self.path.strip("/")).read_bytes()
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.server.starts.append(start)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.cut_after])

    def log_message(self, *args):
        pass


@contextmanager
def serving(folder, cut_after=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler))
    server.folder, server.cut_after, server.starts = folder, cut_after, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
        assert server.starts == [0]
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
        assert server.starts == [1_000_000]


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
