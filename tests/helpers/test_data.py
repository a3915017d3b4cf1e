"""Both data sets come in one form, and batches are drawn, moved and scaled as they should."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import cifar10
from helpers.data import Split, augment, batches, load, normalize, sort_by_digest


@pytest.fixture(scope="module")
def digits():
    return load("digits", device="cpu")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# ------------------------------------------------------------------------------------------------
# The data sets


def test_digits_look_like_cifar10(digits):
    for split in (digits.train, digits.test):
        assert split.images.shape == (len(split), 3, 32, 32)
        assert split.images.dtype == torch.uint8
        assert split.labels.dtype == torch.int64


def test_digits_use_the_whole_range_of_grey(digits):
    assert digits.train.images.min() == 0
    assert digits.train.images.max() == 255
    assert torch.equal(digits.train.images[:, 0], digits.train.images[:, 2])


def test_each_original_pixel_becomes_a_square(digits):
    images = digits.train.images
    corners = images[:, :, ::4, ::4]
    assert torch.equal(images, corners.repeat_interleave(4, 2).repeat_interleave(4, 3))


def test_the_split_of_digits_is_stratified(digits):
    assert (len(digits.train), len(digits.test)) == (1438, 359)
    in_test = digits.test.labels.bincount(minlength=10)
    total = in_test + digits.train.labels.bincount(minlength=10)
    assert (in_test - total / 5).abs().max() <= 0.5  # rounded in each class


def test_no_digit_is_in_both_splits(digits):
    train, test = ({i.numpy().tobytes() for i in s.images} for s in (digits.train, digits.test))
    assert not train & test


def test_the_split_of_digits_does_not_change(digits):
    # The shipped checkpoint has seen these training images, and must not meet them in a test.
    assert digits.test.labels[:12].tolist() == [5, 1, 7, 3, 9, 9, 3, 3, 7, 7, 7, 9]
    assert digits.test.images.sum().item() == 85_671_504


def test_digits_are_not_mirrored(digits):
    assert not digits.flip


def test_the_constants_of_digits_are_those_of_its_training_images(digits):
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


def test_an_unknown_data_set_is_refused_in_words():
    with pytest.raises(ValueError, match="'mnist': load 'digits' or 'cifar10'"):
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
    """A split whose images and labels are their own numbers."""
    numbers = torch.arange(count)
    images = numbers.to(torch.uint8)[:, None, None, None].expand(count, 3, 32, 32)
    return Split(images, numbers)


def test_batches_come_in_order_without_a_generator():
    labels = [labels.tolist() for _, labels in batches(numbered(7), 3)]
    assert labels == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_small_last_batch_can_be_left_out():
    assert [len(labels) for _, labels in batches(numbered(7), 3, drop_last=True)] == [3, 3]
    shuffled = batches(numbered(7), 3, generator(), drop_last=True)
    assert [len(labels) for _, labels in shuffled] == [3, 3]


def test_shuffled_batches_hold_every_image_once_with_its_label():
    drawn = list(batches(numbered(50), 8, generator()))
    labels = torch.cat([labels for _, labels in drawn])
    images = torch.cat([images for images, _ in drawn])
    assert labels.tolist() != list(range(50))
    assert sorted(labels.tolist()) == list(range(50))
    assert torch.equal(images[:, 0, 0, 0].long(), labels)


def test_the_same_seed_shuffles_alike():
    first, second = (
        torch.cat([labels for _, labels in batches(numbered(50), 8, generator(3))])
        for _ in range(2)
    )
    assert torch.equal(first, second)


# ------------------------------------------------------------------------------------------------
# Augmentation and normalisation


def test_augmenting_by_nothing_changes_nothing():
    images = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8, generator=generator())
    assert torch.equal(augment(images, generator(), pad=0, flip=False), images)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), pad=st.integers(0, 3), flip=st.booleans())
def test_an_augmented_image_is_a_crop_of_the_padded_image_or_of_its_mirror(seed, pad, flip):
    image = torch.arange(1, 1 + 3 * 5 * 5).reshape(1, 3, 5, 5)
    result = augment(image, generator(seed), pad, flip)[0]
    sources = [image, image.flip(3)] if flip else [image]
    crops = [
        torch.nn.functional.pad(source, (pad,) * 4)[0, :, i : i + 5, j : j + 5]
        for source in sources
        for i in range(2 * pad + 1)
        for j in range(2 * pad + 1)
    ]
    assert any(torch.equal(result, crop) for crop in crops)


def test_each_offset_and_each_side_is_drawn_equally_often():
    pad, count = 1, 9_000
    image = torch.arange(1, 10).reshape(1, 1, 3, 3)
    images = augment(image.expand(count, 1, 3, 3), generator(), pad, flip=True)
    _, times = torch.unique(images.reshape(count, -1), dim=0, return_counts=True)
    assert len(times) == 3 * 3 * 2
    expected = count / 18
    assert (times - expected).abs().max() < 5 * expected**0.5  # five standard deviations


def test_images_of_one_batch_move_independently():
    images = torch.arange(1, 65).reshape(1, 1, 8, 8).expand(32, 1, 8, 8)
    moved = augment(images, generator(), pad=2, flip=False)
    assert len(torch.unique(moved.reshape(32, -1), dim=0)) > 10


def test_the_same_seed_augments_alike(digits):
    images = digits.train.images[:16]
    first, second = (augment(images, generator(5), 4, True) for _ in range(2))
    assert torch.equal(first, second)
    assert first.dtype == torch.uint8


def test_normalized_training_images_have_mean_0_and_variance_1(digits):
    x = normalize(digits.train.images, digits)
    assert x.dtype == torch.float32
    # The constants have four decimals: an error of 0.5e-4 over a deviation of 0.38.
    assert x.mean().item() == pytest.approx(0, abs=0.5e-4 / 0.3761 * 1.1)
    assert x.std().item() == pytest.approx(1, abs=0.5e-4 / 0.3761 * 1.1)
