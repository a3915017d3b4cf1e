"""Networks of the same training are found when several students hand them in."""

import json
import shutil

import pytest
import torch

from autograder import references
from autograder.reporting.copied_networks import Finding, shared_networks
from autograder.runs.table import experiments
from autograder.runs.training import train
from helpers.artifacts import read_weights, save_artifact, write_weights
from helpers.data import load
from helpers.pretrained import starting_weights

ASSIGNMENT = "quantization"
OURS = references.artifacts("quick", ASSIGNMENT)


def network(seed=0):
    """Return a network whose architecture differs from all networks of the course."""
    draw = torch.Generator().manual_seed(seed)
    return {
        "conv.weight": torch.randn(8, 5, 5, 5, generator=draw),
        "fc.weight": torch.randn(10, 20, generator=draw),
        "bn.running_mean": torch.randn(8, generator=draw),
    }


def history(seed=0, epochs=3):
    draw = torch.Generator().manual_seed(seed + 1000)

    def numbers():
        return torch.rand(epochs, generator=draw, dtype=torch.float64).tolist()

    return {
        "train_loss": numbers(),
        "train_accuracy": numbers(),
        "test_accuracy": numbers(),
        "learning_rate": [0.01] * epochs,
        "seconds": [4 + second for second in numbers()],
    }


class Class:
    """A folder of submissions."""

    def __init__(self, folder):
        self.folder = folder
        self.students = []

    def artifacts(self, student, profile="quick"):
        if student not in self.students:
            self.students.append(student)
        return self.folder / student / ASSIGNMENT / "artifacts" / profile

    def hand_in(self, student, weights, its_history, name="toy", profile="quick"):
        folder = self.artifacts(student, profile)
        write_weights(folder / f"{name}.safetensors", weights)
        (folder / f"{name}.json").write_text(json.dumps(its_history))

    def found(self, *names):
        return shared_networks(ASSIGNMENT, names or ["toy"], self.folder, self.students)

    def findings(self):
        return {group.finding: group.students for group in self.found()}


@pytest.fixture
def submissions(tmp_path):
    return Class(tmp_path / "submitted")


def test_students_who_train_for_themselves_have_nothing_in_common(submissions):
    for seed, student in enumerate(["ada", "ben", "cai"]):
        submissions.hand_in(student, network(seed), history(seed))
    assert submissions.found() == []


def test_copied_files_are_one_training_and_one_entry_for_all_networks(submissions):
    names = ["first", "second", "third"]
    for student in ["ada", "ben"]:
        for seed, name in enumerate(names):
            submissions.hand_in(student, network(seed), history(seed), name)
    submissions.hand_in("cai", network(9), history(9), "first")
    (group,) = submissions.found(*names)
    assert group.finding is Finding.ONE_TRAINING
    assert group.students == ("ada", "ben")
    assert group.networks == ("quick/first", "quick/second", "quick/third")


def test_thirty_students_with_one_network_are_one_entry(submissions):
    for number in range(30):
        submissions.hand_in(f"student{number:02d}", network(), history())
    (group,) = submissions.found()
    assert len(group.students) == 30


def test_each_profile_is_compared_separately(submissions):
    for student in ["ada", "ben"]:
        submissions.hand_in(student, network(), history(), profile="full")
    submissions.hand_in("cai", network(), history(), profile="quick")
    (group,) = submissions.found()
    assert (group.students, group.networks) == (("ada", "ben"), ("full/toy",))


def with_noise(weights):
    return {name: w + 1e-4 * torch.randn_like(w) for name, w in weights.items()}


def rounded(weights):
    return {name: w.half() for name, w in weights.items()}


def with_other_statistics(weights):
    return weights | {"bn.running_mean": weights["bn.running_mean"] + 1}


def with_some_other_values(weights):
    changed = weights["conv.weight"].clone()
    changed[0] = 0.5
    return weights | {"conv.weight": changed}


changes = pytest.mark.parametrize(
    "change", [with_noise, rounded, with_other_statistics, with_some_other_values]
)


@changes
def test_the_same_seconds_reveal_one_training_whatever_was_done_to_the_weights(submissions, change):
    submissions.hand_in("ada", network(), history())
    submissions.hand_in("ben", change(network()), history())
    assert submissions.findings() == {Finding.ONE_HISTORY: ("ada", "ben")}


def test_the_same_values_in_another_type_are_the_same_weights(submissions):
    wider = {name: w.double() for name, w in network().items()}
    submissions.hand_in("ada", network(), history())
    submissions.hand_in("ben", wider, history())
    assert submissions.findings() == {Finding.ONE_TRAINING: ("ada", "ben")}


def test_the_same_weights_with_other_seconds_may_come_from_the_same_code(submissions):
    submissions.hand_in("ada", network(), history())
    submissions.hand_in("ben", network(), history() | {"seconds": history(1)["seconds"]})
    assert submissions.findings() == {Finding.SAME_WEIGHTS: ("ada", "ben")}
    assert not Finding.SAME_WEIGHTS.certain


@changes
def test_the_same_losses_are_reported_though_weights_and_seconds_differ(submissions, change):
    submissions.hand_in("ada", network(), history())
    other = history() | {"seconds": history(1)["seconds"]}
    submissions.hand_in("ben", change(network()), other)
    assert submissions.findings() == {Finding.SAME_STEPS: ("ada", "ben")}


@pytest.mark.parametrize("change", [with_other_statistics, with_some_other_values])
def test_mostly_identical_weights_are_reported_whatever_the_history_says(submissions, change):
    submissions.hand_in("ada", network(), history())
    submissions.hand_in("ben", change(network()), history(1))
    assert submissions.findings() == {Finding.SAME_STEPS: ("ada", "ben")}


def test_nearly_the_same_weights_are_nothing_unusual(submissions):
    # As on two machines: 3 % of the weights are equal, and all others are very close.
    near = with_noise(network())
    equal = torch.rand(near["conv.weight"].shape) < 0.03
    near["conv.weight"][equal] = network()["conv.weight"][equal]
    submissions.hand_in("ada", network(), history())
    submissions.hand_in("ben", near, history(1))
    assert submissions.found() == []


def test_weights_that_both_pruned_are_not_taken_for_equal_weights(submissions):
    kept = torch.rand(8, 5, 5, 5) < 0.2
    for seed, student in enumerate(["ada", "ben"]):
        weights = network(seed)
        submissions.hand_in(student, {"conv.weight": weights["conv.weight"] * kept}, history(seed))
    assert submissions.found() == []


@pytest.mark.parametrize("seconds", [[4.0, 4.0, 5.0], [4.25, 4.125, 4.5]])
def test_rounded_or_made_up_seconds_agree_by_chance(submissions, seconds):
    for seed, student in enumerate(["ada", "ben"]):
        submissions.hand_in(student, network(seed), history(seed) | {"seconds": seconds})
    assert submissions.found() == []


def test_the_seconds_of_a_single_epoch_agree_by_chance(submissions):
    for seed, student in enumerate(["ada", "ben"]):
        seconds = {"seconds": history(epochs=1)["seconds"]}
        submissions.hand_in(student, network(seed), history(seed, epochs=1) | seconds)
    assert submissions.found() == []


def test_networks_of_our_own_reference_run_are_reported_as_such(submissions):
    for student in ["ada", "ben"]:
        shutil.copytree(OURS, submissions.artifacts(student))
    submissions.hand_in("cai", network(), history())
    names = ["qat_4bit", "qat_3bit"]
    (group,) = submissions.found(*names)
    assert group.finding is Finding.FROM_REFERENCE
    assert group.students == ("ada", "ben")
    assert group.networks == ("quick/qat_4bit", "quick/qat_3bit")


def test_students_who_obtain_our_weights_by_training_are_not_listed(submissions):
    weights = read_weights(OURS / "qat_4bit.safetensors")
    recorded = json.loads((OURS / "qat_4bit.json").read_text())
    for student, seconds in [("ada", [9.876543, 8.765432]), ("ben", [7.654321, 6.543219])]:
        submissions.hand_in(student, weights, recorded | {"seconds": seconds}, "qat_4bit")
    assert submissions.found("qat_4bit") == []


@pytest.mark.parametrize("share_pruned", [0.0, 0.8])
def test_the_starting_network_is_the_same_for_everybody(submissions, share_pruned):
    start = starting_weights("quick")
    pruned = {n: w * (w.abs() >= w.abs().float().quantile(share_pruned)) for n, w in start.items()}
    for seed, student in enumerate(["ada", "ben"]):
        submissions.hand_in(student, pruned, history(seed))
    assert submissions.found() == []


def test_what_cannot_be_read_is_left_out_and_the_others_are_compared(submissions, tmp_path):
    for student in ["ada", "ben", "damaged", "no-history"]:
        submissions.hand_in(student, network(), history())
    (submissions.artifacts("damaged") / "toy.safetensors").write_bytes(b"\x00" * 100)
    (submissions.artifacts("no-history") / "toy.json").write_text("[" * 100_000)
    submissions.artifacts("nothing")
    assert submissions.findings() == {Finding.ONE_TRAINING: ("ada", "ben")}


@pytest.mark.parametrize("what", ["artifacts", "quantization", "linked"])
def test_a_link_to_anothers_networks_is_not_followed(submissions, what):
    submissions.hand_in("ada", network(), history())
    link = next(p for p in submissions.artifacts("linked").parents if p.name == what)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(
        next(p for p in submissions.artifacts("ada").parents if p.name in (what, "ada"))
    )
    assert submissions.found() == []


def test_a_network_of_another_size_or_without_weights_does_not_stop_the_comparison(submissions):
    submissions.hand_in("ada", network(), history())
    submissions.hand_in("ben", network(), history())
    submissions.hand_in("tiny", {"conv.weight": torch.ones(1, 1)}, history(1))
    submissions.hand_in("empty", {}, history(2))
    submissions.hand_in("huge", {"w": torch.full((50, 50), 1e300, dtype=torch.float64)}, history(3))
    assert submissions.findings() == {Finding.ONE_TRAINING: ("ada", "ben")}


@pytest.mark.slow
@pytest.mark.long
def test_honest_trainings_of_one_recipe_give_the_same_weights_and_other_seconds(submissions):
    """The module relies on this: the same seconds reveal a copy, the same weights do not."""
    (recipe,) = [experiment for experiment in experiments() if experiment.name == "qat_4bit"]
    for student in ["ada", "ben"]:
        model, recorded = train(recipe, load(device="cpu"), 0, None, 1.0)
        # Under another name, because weights that equal those of our own run are left out.
        save_artifact(submissions.artifacts(student), "toy", model, recorded)
    assert submissions.findings() == {Finding.SAME_WEIGHTS: ("ada", "ben")}
