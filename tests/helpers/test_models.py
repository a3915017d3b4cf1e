"""ResNet-20 has the reported sizes, and a layer class is used in the stages meant for it."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from helpers.models import convnet, layer_sizes, resnet20


class MarkedConv(nn.Conv2d):
    """A convolution that can be distinguished from the library's."""

    def __init__(self, *args, mark: int = 0, **kwargs):
        super().__init__(*args, **kwargs)
        self.mark = mark


@pytest.mark.parametrize(
    ("head_width", "shortcut", "weights"),
    [(16, "pad", 268_336), (16, "projection", 270_896), (32, "projection", 274_144)],
)
def test_each_variant_has_its_reported_number_of_weights(head_width, shortcut, weights):
    model = resnet20(head_width=head_width, shortcut=shortcut)
    assert sum(layer_sizes(model).values()) == weights


def test_the_default_variant_is_the_one_with_projections():
    assert sum(layer_sizes(resnet20()).values()) == 270_896


def test_layer_sizes_are_in_the_order_of_the_network_and_count_no_bias():
    sizes = layer_sizes(resnet20())
    assert next(iter(sizes)) == "stem"
    assert list(sizes)[-1] == "classifier"
    assert sizes["stem"] == 3 * 16 * 9
    assert sizes["stage2.0.shortcut.0"] == 16 * 32
    assert sizes["classifier"] == 64 * 10


@pytest.mark.parametrize(
    "options", [{"shortcut": "pad"}, {}, {"head_width": 32}], ids=["pad", "projection", "wide"]
)
def test_resnet20_scores_each_class(options):
    assert resnet20(**options)(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_a_network_is_twenty_layers_deep():
    names = [name for name in layer_sizes(resnet20()) if "shortcut" not in name]
    assert len(names) == 20


def test_the_layer_class_is_used_in_the_stages_but_not_in_the_stem_or_the_classifier():
    model = resnet20(conv=MarkedConv)
    marked = {name for name, module in model.named_modules() if isinstance(module, MarkedConv)}
    assert marked == set(layer_sizes(model)) - {"stem", "classifier"}


def test_each_stage_can_have_its_own_layer_class():
    model = resnet20(conv=[partial(MarkedConv, mark=stage) for stage in (1, 2, 3)])
    for name, module in model.named_modules():
        if isinstance(module, MarkedConv):
            assert name.startswith(f"stage{module.mark}.")


def test_another_layer_class_keeps_the_names_of_the_weights():
    assert resnet20(conv=MarkedConv).state_dict().keys() == resnet20().state_dict().keys()
    assert "stage2.1.conv1.weight" in resnet20().state_dict()


def test_the_stem_and_the_classifier_can_be_replaced_too():
    class MarkedLinear(nn.Linear):
        pass

    model = resnet20(stem_conv=MarkedConv, linear=MarkedLinear)
    assert isinstance(model.stem, MarkedConv)
    assert isinstance(model.classifier, MarkedLinear)


def test_a_pad_shortcut_repeats_its_input_between_zeros():
    shortcut = resnet20(shortcut="pad").stage2[0].shortcut
    x = torch.randn(1, 16, 8, 8)
    out = shortcut(x)
    assert torch.equal(out[:, 8:24], x[:, :, ::2, ::2])
    assert not out[:, :8].any()
    assert not out[:, 24:].any()


def test_weights_start_at_the_scale_of_he_et_al():
    torch.manual_seed(0)
    weight = resnet20().stage3[1].conv1.weight
    expected = math.sqrt(2 / (64 * 9))
    # The standard deviation of n normal samples varies by about 1 / sqrt(2 n) of itself.
    assert weight.std().item() == pytest.approx(expected, rel=5 / math.sqrt(2 * weight.numel()))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shortcut": "identity"}, "must be 'projection' or 'pad'"),
        ({"conv": [nn.Conv2d] * 2}, "one for all stages, or three"),
        ({"shortcut": "pad", "head_width": 32}, "use shortcut='projection'"),
    ],
)
def test_a_wrong_option_is_refused_with_a_message(options, words):
    with pytest.raises(ValueError, match=words):
        resnet20(**options)


def test_convnet_takes_a_layer_class_and_scores_each_class():
    model = convnet(conv=MarkedConv, num_classes=7)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 7)
    assert sum(isinstance(module, MarkedConv) for module in model.modules()) == 5


def test_convnet_has_the_size_its_documentation_says():
    assert sum(layer_sizes(convnet()).values()) == 140_384
