import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.data import load
from helpers.models import resnet20
from helpers.pretrained import pretrained_resnet20
from helpers.reference import masks
from helpers.reference.deep_compression import compressed_file, run_lengths, weight_sharing


def layer(seed, shape, bits, density):
    rng = np.random.default_rng(seed)
    kept = rng.random(shape) < density
    labels = rng.binomial(2**bits - 1, 0.4, int(kept.sum())).astype(np.uint8)
    return kept, labels, rng.normal(size=2**bits).astype(np.float32)


@pytest.fixture(scope="module")
def compressed():
    model = pretrained_resnet20(load())
    shared = {}
    for name, w in masks.layer_weights(model).items():
        w *= masks.magnitude_mask(w, 0.3)
        start = weight_sharing.starting_centroids(w.numpy(), 4, "linear")
        labels, centroids = weight_sharing.share_weights(w.numpy(), start)
        shared[name] = (w.numpy() != 0, labels, centroids)
        w.copy_(torch.from_numpy(weight_sharing.rebuild(*shared[name])))
    return model, compressed_file.network_to_bytes(model, shared, 3)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.floats(0, 1), st.integers(1, 8))
def test_a_layer_is_restored_bit_for_bit(seed, bits, density, width):
    kept, labels, centroids = layer(seed, (5, 4, 3), bits, density)
    runs = run_lengths.run_lengths(kept, width)
    block = compressed_file.layer_to_bytes(labels, runs, centroids, width)
    found = compressed_file.read_layer(block)
    for got, given_ in zip(found, (labels, runs, centroids, width), strict=True):
        assert np.array_equal(got, given_)
    weights = compressed_file.layer_from_bytes(block, kept.shape)
    assert weights.tobytes() == weight_sharing.rebuild(kept, labels, centroids).tobytes()


def test_the_record_of_an_example_byte_by_byte():
    labels, runs = np.array([1, 0, 1, 1], np.uint8), np.array([0, 0, 1, 2], np.uint8)
    block = compressed_file.layer_to_bytes(labels, runs, np.array([-1, 0.5], np.float32), 2)
    assert block.tolist() == [
        *(4, 0, 0, 0),  # kept weights
        *(4, 0, 0, 0),  # runs
        *(1, 0, 0, 0),  # bytes of the labels
        *(2, 0),  # centroids
        *(2, 0),  # bits of a run
        *(0, 0, 0x80, 0xBF),  # -1
        *(0, 0, 0, 0x3F),  # 0.5
        *(1, 1),  # lengths of the labels' words: 0, 1
        *(1, 2, 2, 0),  # lengths of the runs' words: 0, 10, 11
        0b10110000,
        0b00101100,
    ]


@settings(deadline=None)
@given(st.binary(max_size=120), st.integers(0, 60))
def test_invalid_bytes_raise_only_value_errors(noise, place):
    kept, labels, centroids = layer(1, (30,), 2, 0.5)
    block = compressed_file.layer_to_bytes(labels, run_lengths.run_lengths(kept, 3), centroids, 3)
    spoilt = np.frombuffer((block.tobytes()[:place] + noise), np.uint8)
    try:
        compressed_file.layer_from_bytes(spoilt, (30,))
    except ValueError:
        return


def test_a_network_is_restored_bit_for_bit_from_a_file(compressed, tmp_path):
    model, data = compressed
    (tmp_path / "network.bin").write_bytes(data.tobytes())
    read = np.fromfile(tmp_path / "network.bin", np.uint8)
    again = resnet20().eval()
    compressed_file.load_network(again, read)
    images = torch.rand((4, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    assert torch.equal(again(images), model.eval()(images))
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            assert torch.equal(again.state_dict()[name], tensor)
    assert len(data) < 137_000  # 270,896 weights and 10.5 kB of batch norm: 1,096,252 as float32


def test_a_damaged_network_is_refused(compressed):
    _, data = compressed
    for spoilt in (data[:-1], np.append(data, data[:1]), data[:3], data[100:]):
        with pytest.raises(ValueError):  # noqa: PT011 - any of the reader's messages
            compressed_file.load_network(resnet20(), spoilt)
    infinite = data.copy()
    infinite[-4:] = np.frombuffer(np.array([np.inf], "<f4").tobytes(), np.uint8)
    with pytest.raises(ValueError, match="finite"):
        compressed_file.load_network(resnet20(), infinite)
