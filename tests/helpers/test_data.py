"""Both data sets have the same form, and batches are drawn, augmented and scaled correctly."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import cifar10
from helpers.data import Dataset, ImageDataset, Split, load
from helpers.digits import _originals, _sample
from helpers.images import augment, sort_by_digest


@pytest.fixture(scope="module")
def digits():
    return load("digits", device="cpu")


@pytest.fixture(scope="module")
def dark_digits():
    return load("dark_digits", device="cpu")


@pytest.fixture(params=["digits", "dark_digits"])
def either_digits(request):
    return request.getfixturevalue(request.param)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# ------------------------------------------------------------------------------------------------
# The data sets


def test_digits_are_small_colour_images(either_digits):
    for split in (either_digits.train, either_digits.test):
        assert split.images.shape == (len(split), 3, 16, 16)
        assert split.images.dtype == torch.uint8
        assert split.labels.dtype == torch.int64


def test_there_are_as_many_digits_of_each_class(either_digits):
    assert (len(either_digits.train), len(either_digits.test)) == (10_240, 2_000)
    for split in (either_digits.train, either_digits.test):
        counts = split.labels.bincount(minlength=10)
        assert counts.tolist() == [len(split) // 10] * 10


def test_no_original_digit_is_in_both_splits():
    training, test = _originals()
    assert (len(training[1]), len(test[1])) == (1438, 359)
    in_test = np.bincount(test[1])
    total = in_test + np.bincount(training[1])
    assert np.abs(in_test - total / 5).max() <= 0.5  # rounded in each class
    assert not {d.tobytes() for d in training[0]} & {d.tobytes() for d in test[0]}


def test_digits_are_the_same_on_every_computer(digits, dark_digits):
    # The shipped networks were trained on these images.
    for split, digest in (
        (digits.train, "0c786ca6adbe8593"),
        (digits.test, "fcfab5bdd1cf400e"),
        (dark_digits.train, "fa45dadd0a9e1def"),
        (dark_digits.test, "d8302ebf733cf15a"),
    ):
        found = hashlib.sha256(split.images.numpy().tobytes() + split.labels.numpy().tobytes())
        assert found.hexdigest()[:16] == digest


def test_dark_digits_differ_where_a_digit_is_brighter_than_its_background(digits, dark_digits):
    either, dark = (data.train.images.int().flatten(2) for data in (digits, dark_digits))
    # A channel whose digit is dark already is the same; about half of the channels are.
    same = (either == dark).all(2)
    assert same.float().mean() == pytest.approx(0.5, abs=0.02)
    assert (dark.sum(2)[~same] < either.sum(2)[~same]).all()


def test_an_image_shows_the_digit_in_the_middle():
    (values, _), _ = _originals()
    left, middle, right = values[:9], values[9:18], values[18:27]
    # These draw no slant and no move, and 44 64ths of an original pixel for each pixel.
    numbers = np.array([[4, 4, 5, 5, 3, 3]] * 9, dtype=np.uint16)
    found = _sample(np.concatenate([left, middle, right], axis=2), numbers)
    assert 0 <= found.min() < found.max() <= 16 * 64 * 64
    # The pixel that is nearest to each original one.
    at = np.rint(7.5 + (np.arange(8) - 3.5) * 64 / 44).astype(int)
    for image, digit in zip(found, middle, strict=True):
        assert np.corrcoef(image[np.ix_(at, at)].ravel(), digit.ravel())[0, 1] > 0.9


def test_digits_are_not_mirrored(either_digits):
    assert not either_digits.flip


def test_the_constants_of_digits_are_those_of_its_training_images(either_digits):
    digits = either_digits
    pixels = digits.train.images.double() / 255
    half_a_digit = 0.5e-4
    for channel in range(3):
        mean, std = pixels[:, channel].mean(), pixels[:, channel].std(correction=0)
        assert digits.mean[channel].item() == pytest.approx(mean.item(), abs=half_a_digit)
        assert digits.std[channel].item() == pytest.approx(std.item(), abs=half_a_digit)


@pytest.mark.slow
def test_the_constants_of_cifar10_are_those_of_its_training_images():
    if not (cifar10.data_folder() / cifar10.CACHE).exists():
        pytest.skip(f"no CIFAR-10 in {cifar10.data_folder()} (COURSE_DATA)")
    dataset = load("cifar10", device="cpu")
    assert (len(dataset.train), len(dataset.test)) == (50_000, 10_000)
    for channel in range(3):
        counts = np.bincount(dataset.train.images[:, channel].numpy().ravel(), minlength=256)
        values = np.arange(256) / 255
        mean = np.average(values, weights=counts)
        std = np.sqrt(np.average((values - mean) ** 2, weights=counts))
        assert dataset.mean[channel].item() == pytest.approx(mean, abs=1e-4)
        assert dataset.std[channel].item() == pytest.approx(std, abs=1e-4)


def test_the_profile_chooses_the_data_set(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    assert load(device="cpu").name == "digits"


def test_an_unknown_data_set_is_refused_with_a_message():
    with pytest.raises(ValueError, match=r"'mnist': load 'digits', .* or 'tinyshakespeare'"):
        load("mnist")


def test_the_order_by_digest_does_not_depend_on_the_order_before():
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 3), dtype=np.uint8)
    assert np.array_equal(
        images[sort_by_digest(images)], images[::-1][sort_by_digest(images[::-1])]
    )


def test_moving_a_data_set_moves_everything(digits):
    moved = digits.to("meta")
    tensors = (moved.train.images, moved.test.labels, moved.mean, moved.std)
    assert {str(t.device) for t in tensors} == {"meta"}


# ------------------------------------------------------------------------------------------------
# Batches


def numbered(count):
    """Return a split whose images and labels are their places in it."""
    numbers = torch.arange(count)
    images = numbers.to(torch.uint8)[:, None, None, None].expand(count, 3, 32, 32)
    return Split(images, numbers)


def data_set(train, pad=0, flip=False):
    return ImageDataset("small", train, train, torch.zeros(3), torch.ones(3), flip=flip, pad=pad)


def test_batches_come_in_order_and_the_last_may_be_smaller():
    drawn = list(Dataset("numbers", numbered(7), numbered(7)).batches("test", 3))
    assert [labels.tolist() for _, labels in drawn] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [images[:, 0, 0, 0].tolist() for images, _ in drawn] == [[0, 1, 2], [3, 4, 5], [6]]


def test_training_batches_leave_out_a_small_last_batch():
    drawn = data_set(numbered(7)).training_batches(3, generator())
    assert [len(labels) for _, labels in drawn] == [3, 3]


def test_fewer_training_images_than_one_batch_give_no_batch():
    assert not list(data_set(numbered(2)).training_batches(3, generator()))


def test_training_batches_hold_every_image_once_with_its_label():
    drawn = list(data_set(numbered(50)).training_batches(10, generator()))
    labels = torch.cat([labels for _, labels in drawn])
    images = torch.cat([images for images, _ in drawn])
    assert labels.tolist() != list(range(50))
    assert sorted(labels.tolist()) == list(range(50))
    assert torch.equal(images[:, 0, 0, 0].long(), labels)


def batches_drawn_one_by_one(dataset, batch_size, generator):
    """Draw the random numbers batch by batch, and augment each image separately."""
    pad, span, side = dataset.pad, 2 * dataset.pad + 1, dataset.train.images.shape[-1]
    order = torch.randperm(len(dataset.train), generator=generator)
    for start in range(0, len(order) - batch_size + 1, batch_size):
        indices = order[start : start + batch_size]
        top = torch.randint(span, (batch_size, 1), generator=generator)
        left = torch.randint(span, (batch_size, 1), generator=generator)
        mirrored = torch.zeros(batch_size, 1)
        if dataset.flip:
            mirrored = torch.randint(2, (batch_size, 1), generator=generator)
        images = torch.zeros(batch_size, 3, side, side, dtype=torch.uint8)
        for image, n, i, j, mirror in zip(images, indices, top, left, mirrored, strict=True):
            framed = torch.nn.functional.pad(dataset.train.images[n], (pad,) * 4)
            crop = framed[:, i : i + side, j : j + side]
            image += crop.flip(2) if mirror else crop
        yield images, dataset.train.labels[indices]


@pytest.mark.parametrize("batch_size", [7, 100])
@pytest.mark.parametrize("flip", [False, True])
def test_an_epoch_drawn_at_once_equals_one_drawn_batch_by_batch(digits, flip, batch_size):
    # The frozen references were trained with batches that were drawn one by one.
    small = Split(digits.train.images[:230], digits.train.labels[:230])
    dataset = data_set(small, pad=4, flip=flip)
    ours, theirs = generator(3), generator(3)
    for _ in range(
        2
    ):  # the second epoch starts with the state in which the first left the generator
        expected = batches_drawn_one_by_one(dataset, batch_size, theirs)
        for found, wanted in zip(dataset.training_batches(batch_size, ours), expected, strict=True):
            assert torch.equal(found[0], wanted[0])
            assert torch.equal(found[1], wanted[1])
    assert torch.equal(ours.get_state(), theirs.get_state())


def test_training_batches_are_uint8(digits):
    images, labels = next(digits.training_batches(16, generator()))
    assert images.shape == (16, 3, 16, 16)
    assert images.dtype == torch.uint8
    assert labels.dtype == torch.int64


# ------------------------------------------------------------------------------------------------
# Augmentation and normalisation


def test_an_image_that_is_neither_moved_nor_mirrored_does_not_change():
    images = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8, generator=generator())
    centre, no = torch.full((4,), 2), torch.zeros(4)
    assert torch.equal(augment(images, 2, centre, centre, no), images)


@settings(deadline=None)
@given(data=st.data(), pad=st.integers(0, 3), mirror=st.booleans())
def test_an_augmented_image_is_a_crop_of_the_padded_image_or_its_mirror_image(data, pad, mirror):
    i, j = (data.draw(st.integers(0, 2 * pad)) for _ in range(2))
    image = torch.arange(1, 1 + 3 * 5 * 6).reshape(1, 3, 5, 6)
    found = augment(image, pad, *(torch.tensor([number]) for number in (i, j, int(mirror))))
    crop = torch.nn.functional.pad(image, (pad,) * 4)[:, :, i : i + 5, j : j + 6]
    assert torch.equal(found, crop.flip(3) if mirror else crop)


def test_each_offset_and_each_side_is_drawn_equally_often():
    count = 9_000
    image = torch.zeros(1, 1, 32, 32, dtype=torch.uint8)
    image[0, 0, 10:13, 10:13] = torch.arange(1, 10).reshape(3, 3)
    dataset = data_set(Split(image.expand(count, 1, 32, 32), torch.zeros(count)), 1, flip=True)
    ((images, _),) = dataset.training_batches(count, generator())
    _, times = torch.unique(images[:, 0, 9:23, 9:23].flatten(1), dim=0, return_counts=True)
    assert len(times) == 3 * 3 * 2
    expected = count / 18
    assert (times - expected).abs().max() < 5 * expected**0.5  # five standard deviations


def test_the_same_seed_draws_alike_and_another_seed_differently(digits):
    dataset = replace(digits, flip=True)
    one, same, other = (
        next(dataset.training_batches(16, generator(seed)))[0] for seed in (5, 5, 6)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gets_the_same_batches(digits):
    dataset = replace(digits, flip=True)
    there = dataset.to("cuda").training_batches(128, generator(3))
    here = dataset.training_batches(128, generator(3))
    for (images, labels), (expected_images, expected_labels) in zip(there, here, strict=True):
        assert images.is_cuda
        assert labels.is_cuda
        assert torch.equal(images.cpu(), expected_images)
        assert torch.equal(labels.cpu(), expected_labels)


def test_the_channels_of_a_normalized_pixel_are_adjacent_in_memory(digits):
    x = digits.network_inputs(digits.train.images[:8])
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_normalized_training_images_have_mean_0_and_variance_1(digits):
    x = digits.network_inputs(digits.train.images).double()
    assert x.dim() == 4
    assert x.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0] * 3, abs=1e-4)
    assert x.std(dim=(0, 2, 3)).tolist() == pytest.approx([1] * 3, abs=1e-4)
