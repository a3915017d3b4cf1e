"""Networks that are handed in: what is wrong with them is said, and `full` works without a run."""

import pytest
import torch
from source_notebook import graded
from torch import nn

from autograder import references
from autograder.grading.execution import evaluate_test
from autograder.hidden import reference
from autograder.hidden.student import Submission, asking
from autograder.references import artifacts
from helpers import data
from helpers.artifacts import artifact_folder, load_artifact, save_artifact
from helpers.measurements import measure
from helpers.reference.lora_transfer import demands, freezing, lora, nearest_mean, networks
from helpers.resnet18 import ResNet18
from helpers.training import History

NAMES = ("pt_net", "net_freeze", "net_freeze_lora", "lora_convs")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "quick")


@pytest.fixture(scope="module")
def digits():
    return data.load("dark_digits", device="cpu")


def loaded(name, model):
    """Load a network that the reference run has kept."""
    if name not in references.runs("quick"):
        pytest.skip(f"there is no reference run of {name} yet")
    load_artifact(artifacts("quick", "lora_transfer"), name).load_into(model)
    return model


# ------------------------------------------------------------------------------------------------
# What is frozen


def test_a_network_that_kept_everything_frozen_passes(digits):
    demand = demands.unchanged(networks.frozen_network(digits))
    assert demand(loaded("net_freeze", networks.frozen_network(digits))) is None


def test_another_seed_of_the_classifier_is_no_fault(digits):
    torch.manual_seed(5)
    demand = demands.unchanged(networks.lora_head_network(digits))
    assert demand(loaded("net_freeze_lora", networks.lora_head_network(digits))) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("moving_statistics", "in training mode, so that it was not frozen"),
        ("old_statistics", "started with other statistics"),
        ("pt_net", "stem.weight should be frozen"),
    ],
)
def test_a_network_with_another_early_part_is_refused_for_the_right_reason(digits, name, text):
    demand = demands.unchanged(networks.frozen_network(digits))
    assert text in demand(loaded(name, networks.frozen_network(digits)))


@pytest.mark.parametrize("build", [networks.lora_head_network, networks.lora_convs_network])
def test_an_update_that_is_still_zero_is_named(digits, build):
    assert "still zero" in demands.update_trained(build(digits))


def test_an_update_without_which_the_network_is_as_accurate_is_named():
    model = nn.Sequential(lora.LoRALinear(nn.Linear(3, 2), 1, 1.0))
    nn.init.ones_(model[0].B)
    used = demands.update_used(lambda model: 0.9 if model[0].B.any() else 0.6, noise=0.01)
    assert used(model) is None
    unused = demands.update_used(lambda model: 0.9, noise=0.01)
    assert "as accurate as with it" in unused(model)


# ------------------------------------------------------------------------------------------------
# Without a reference run


def judged(name, model, dataset, folder):
    """Judge a network by the hidden test of its question."""
    history = History([0.1], [1.0], [measure(model, dataset)], [0.1], [1.0])
    save_artifact(artifact_folder(folder), name, model, history)
    question = {"lora_convs": "bonus_lora_convs"}.get(name, name)
    with asking(Submission(lambda request: {}, folder)):
        return evaluate_test(graded("lora_transfer", question).source, question)


@pytest.fixture
def without_runs(monkeypatch):
    def no_run(name):
        raise references.no_run("quick", name)

    monkeypatch.setattr(reference, "bar", no_run)
    monkeypatch.setattr(reference, "loss_limit", lambda name: None)


@pytest.mark.parametrize("name", ["pt_net", "net_freeze"])
def test_a_trained_network_reaches_what_the_grader_measures(
    digits, name, without_runs, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    build = {"pt_net": networks.new_network, "net_freeze": networks.frozen_network}[name]
    score = judged(name, loaded(name, build(digits)), digits, tmp_path)
    assert (score.points, score.messages) == (score.of, [])


def test_a_network_that_was_not_trained_does_not_and_is_told_where_the_bar_comes_from(
    digits, without_runs, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    score = judged("pt_net", networks.new_network(digits), digits, tmp_path)
    assert score.points == 0
    assert nearest_mean.WHY in score.messages[0]


# ------------------------------------------------------------------------------------------------
# The networks of `full`


@pytest.fixture
def resnet18(monkeypatch):
    """Let `full` start from a ResNet-18 with random weights, because its file is not here."""
    monkeypatch.setenv("COURSE_PROFILE", "full")

    def random_weights():
        torch.manual_seed(0)
        return ResNet18().eval()

    monkeypatch.setattr("helpers.transfer.pretrained_resnet18", random_weights)


def test_the_networks_of_full_freeze_what_the_notebook_says(resnet18, digits):
    whole = networks.new_network(digits)
    weights = [m.weight.numel() for m in whole.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert sum(weights) == 11_172_032
    trained = {
        name.partition(".")[0]
        for name, p in networks.frozen_network(digits).named_parameters()
        if p.requires_grad
    }
    assert trained == {"layer4", "fc"}
    lora_head = networks.lora_head_network(digits)
    assert [n for n, p in lora_head.fc.named_parameters() if p.requires_grad] == ["A", "B"]
    lora_convs = networks.lora_convs_network(digits)
    factors = [n for n, p in lora_convs.named_parameters() if p.requires_grad and n[-2:] == ".A"]
    assert len(factors) == 19
    cost = freezing.training_cost(lora_convs)["trained parameters"]
    assert cost < freezing.training_cost(whole)["trained parameters"] / 10
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        for model in (whole, lora_head, lora_convs):
            assert model.eval()(x).shape == (2, 10)


def test_full_measures_a_bar_from_the_features(resnet18, digits):
    assert 0 < nearest_mean.nearest_mean_accuracy(digits) < 1
