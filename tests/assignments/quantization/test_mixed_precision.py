import pytest

from helpers.models import layer_sizes, resnet20
from helpers.reference.quantization.mixed_precision import average_precision, layer_bits


def test_each_layer_has_the_bits_of_its_stage():
    assert layer_bits("stage1.0.conv1", (5, 6, 7)) == 5
    assert layer_bits("stage2.0.shortcut.0", (5, 6, 7)) == 6
    assert layer_bits("stage3.2.conv2", (5, 6, 7)) == 7


def test_layers_outside_the_stages_stay_in_float():
    assert layer_bits("stem", (5, 6, 7)) == 32
    assert layer_bits("classifier", (5, 6, 7)) == 32


def test_there_are_three_stages():
    with pytest.raises(ValueError, match="three stages"):
        layer_bits("stage4.0.conv1", (5, 6, 7))
    with pytest.raises(ValueError, match="three numbers"):
        layer_bits("stem", (5, 6))


@pytest.mark.parametrize(
    ("stage_bits", "reported"),
    [((4, 4, 2), 2.5988), ((4, 2, 4), 3.7328), ((2, 4, 4), 4.0087)],
)
def test_the_average_precision_of_resnet20_is_the_reported_one(stage_bits, reported):
    sizes = layer_sizes(resnet20())
    bits = {layer: layer_bits(layer, stage_bits) for layer in sizes}
    assert round(average_precision(sizes, bits), 4) == reported


def test_large_layers_weigh_more():
    assert average_precision({"small": 100, "large": 300}, {"small": 8, "large": 4}) == 5


def test_equal_bits_are_the_average():
    assert average_precision({"a": 20, "b": 7}, {"b": 4, "a": 4}) == 4


def test_sizes_and_bits_must_name_the_same_layers():
    with pytest.raises(ValueError, match="only one of them has classifier, stem"):
        average_precision({"stem": 3, "body": 3}, {"classifier": 2, "body": 3})


@pytest.mark.parametrize("sizes", [{}, {"a": 0}])
def test_an_average_over_no_weights_is_refused(sizes):
    with pytest.raises(ValueError, match="without weights"):
        average_precision(sizes, dict.fromkeys(sizes, 4))
