"""What the notebook on deep compression states is true of the networks that it runs on.

Claims about the trained networks are checked on the reference run of `quick`. The cells that look
only at weights use the network for CIFAR-10, which ships with the course.
"""

import copy
import json
import re
from functools import cache

import kmeans1d
import numpy as np
import pytest
from source_notebook import cells

from autograder import references
from autograder.references import artifacts
from helpers import cifar10, data
from helpers.artifacts import load_artifact
from helpers.batch_norm import reestimate_batch_norm
from helpers.models import resnet20
from helpers.pretrained import pretrained_resnet20, starting_weights
from helpers.reference import masks
from helpers.reference.deep_compression import (
    compressed_file,
    huffman,
    run_lengths,
    shared_network,
    weight_sharing,
)
from helpers.training import evaluate

TRAINED = ["shared_3bit", "shared_2bit"]


def text(cell_id):
    (cell,) = [c for c in cells("deep_compression") if c.id == cell_id]
    return " ".join(cell.source.split())


def run(name):
    return references.runs("quick")[name]


@cache
def layers(profile, sparsity=0.5):
    """Return the pruned weights of the starting network, by layer."""
    model = resnet20()
    model.load_state_dict(starting_weights(profile))
    found = masks.layer_weights(model)
    return {n: (w * masks.magnitude_mask(w, sparsity)).numpy() for n, w in found.items()}


def clustered(w, bits, method="linear", seed=0):
    """Share the weights as the notebook's solution does."""
    start = weight_sharing.starting_centroids(w, bits, method, seed)
    return weight_sharing.share_weights_by_sklearn(w, start)


def coded(counts):
    return int((counts * huffman.code_lengths(counts).astype(int)).sum())


# ------------------------------------------------------------------------------------------------
# Section 1


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_the_kept_weights_are_nearly_as_many_different_numbers(profile):
    kept = {name: w[w != 0] for name, w in layers(profile).items()}
    assert sum(w.size for w in kept.values()) == 135_448
    assert sum(np.unique(w).size for w in kept.values()) > 135_400
    assert "The 135,448 weights that are left" in text("sharing")


@cache
def distortions(bits):
    w = layers("full")["stage2.1.conv1"]
    spread = float((w.astype(float) ** 2).sum())
    found = {
        method: [
            100 * weight_sharing.distortion(w, *clustered(w, bits, method, seed)) / spread
            for seed in range(draws)
        ]
        for method, draws in (("linear", 1), ("density", 1), ("random", 5))
    }
    # Faster than our own dynamic programming, with which the tests of the reference compare it.
    labels, centroids = kmeans1d.cluster(w[w != 0].astype(float), 2**bits)
    return found | {"best": 100 * weight_sharing.distortion(w, labels, centroids) / spread}


@pytest.mark.slow
@pytest.mark.parametrize("bits", [6, 5, 4, 3, 2])
def test_the_least_distortions_in_the_notebook_are_the_optima(bits):
    (table,) = re.findall(r"least = (\{.+?\})", text("sharing_distortion"))
    assert f"{bits}: {distortions(bits)['best']:.4f}" in table


@pytest.mark.slow
@pytest.mark.parametrize("bits", [6, 5, 4])
def test_with_many_centroids_the_linear_start_is_the_nearest_to_the_optimum(bits):
    found = distortions(bits)
    assert found["linear"][0] < min([*found["density"], *found["random"]])


@pytest.mark.slow
@pytest.mark.parametrize("bits", [3, 2])
def test_with_few_centroids_linear_and_density_starts_rest_at_the_optimum(bits):
    found = distortions(bits)
    for method in ("linear", "density"):
        assert found[method][0] == pytest.approx(found["best"], rel=0.003)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [4, 3, 2])
def test_a_random_draw_can_be_much_worse(bits):
    assert max(distortions(bits)["random"]) > 1.2 * distortions(bits)["best"]


@pytest.mark.slow
@pytest.mark.parametrize("bits", [3, 2])
def test_a_random_draw_can_do_as_well_as_the_others(bits):
    assert min(distortions(bits)["random"]) == pytest.approx(distortions(bits)["best"], rel=0.01)


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_centroids_are_close_together_where_weights_are_many_and_far_apart_in_the_tails(profile):
    w = layers(profile)["stage2.1.conv1"]
    ends = []
    for bits in (4, 3, 2):
        labels, centroids = clustered(w, bits)
        order = np.sort(centroids)
        used = np.array([c for i, c in enumerate(centroids) if (labels == i).any()])
        for side in (np.sort(used[used > 0.01]), np.sort(-used[used < -0.01])):
            gaps = np.diff(side)
            assert gaps[-1] == gaps.max()  # the outermost gap is the widest
        ends.append((order[0], order[-1]))
    lows, highs = zip(*ends, strict=True)
    assert sorted(lows) == list(lows)  # with fewer bits, the ends move inwards
    assert sorted(highs, reverse=True) == list(highs)


@cache
def pruned():
    dataset = data.load("digits")
    return shared_network.prune(pretrained_resnet20(dataset), dataset, 0.5), dataset


@cache
def accuracies(bits, method="linear", seed=0):
    """Return the accuracy with shared weights, and with batch norm measured anew, in `quick`."""
    start, dataset = pruned()
    model = copy.deepcopy(start)
    shared_network.share(model, bits, method, seed, cluster=weight_sharing.share_weights_by_sklearn)
    before = evaluate(model, dataset)
    reestimate_batch_norm(model, dataset)
    return before, evaluate(model, dataset)


@pytest.mark.slow
@pytest.mark.thorough
def test_the_accuracy_hardly_changes_down_to_4_bits_and_breaks_down_at_2():
    start, dataset = pruned()
    whole = evaluate(start, dataset)
    lost = {bits: whole - accuracies(bits)[0] for bits in (6, 5, 4, 3, 2)}
    assert max(lost[6], lost[5], lost[4]) < 0.005
    assert lost[3] == pytest.approx(0.01, abs=0.005)
    assert lost[2] == pytest.approx(0.1, abs=0.005)


@pytest.mark.slow
def test_at_2_bits_batch_norm_brings_back_seven_or_eight_of_ten_points():
    before, control = accuracies(2)
    assert 0.07 < control - before < 0.08


@pytest.mark.slow
def test_linear_and_density_starts_differ_by_less_than_a_standard_error():
    _, dataset = pruned()
    linear, density = accuracies(3, "linear"), accuracies(3, "density")
    error = np.sqrt(0.9 * 0.1 / len(dataset.test))
    assert error == pytest.approx(0.007, abs=0.0005)
    assert 0 < linear[0] - density[0] < min(error, 0.005)
    assert 0 < density[1] - linear[1] < min(error, 0.005)


@pytest.mark.slow
def test_random_starts_scatter_and_batch_norm_brings_most_of_it_back():
    drawn = np.array([accuracies(3, "random", seed) for seed in (0, 1, 2)])
    before, control = np.ptp(drawn, axis=0)
    assert before > 0.05
    assert control == pytest.approx(0.02, abs=0.005)


# ------------------------------------------------------------------------------------------------
# Section 2


@pytest.mark.parametrize("name", TRAINED)
def test_batch_norm_brings_back_a_part_and_training_the_centroids_adds_more(name):
    found = run(name)
    control = found["controls"]["recalibrated"]["accuracy"]
    assert found["untrained"] < control < min(found["accuracies"])


def gained(name):
    """Return what batch norm and training add at 2 or 3 bits, in test accuracy."""
    found = run(name)
    control = found["controls"]["recalibrated"]["accuracy"]
    return control - found["untrained"], found["mean"] - control


def test_training_is_worth_more_at_2_bits_than_at_3():
    assert gained("shared_3bit")[1] == pytest.approx(0.013, abs=0.0015)
    assert gained("shared_2bit")[1] == pytest.approx(0.02, abs=0.0015)


def test_at_2_bits_four_fifths_of_the_gain_need_no_training():
    by_batch_norm, by_training = gained("shared_2bit")
    assert by_batch_norm == pytest.approx(0.075, abs=0.001)
    assert by_batch_norm / (by_batch_norm + by_training) == pytest.approx(0.8, abs=0.03)


def test_the_centroids_themselves_are_worth_what_the_notebook_says():
    quoted = text("training-who-answer")
    trained = [f"{100 * run(name)['mean']:.2f} %" for name in TRAINED]
    frozen = [f"{100 * run(name)['controls']['frozen']['accuracy']:.2f} %" for name in TRAINED]
    assert f"They reached {frozen[0]} with 3 bits and {frozen[1]} with 2 bits" in quoted
    assert f"with trained centroids {trained[0]} and {trained[1]}" in quoted
    for name, lowered in zip(TRAINED, (1 / 5, 1 / 3), strict=True):
        control = run(name)["controls"]["frozen"]
        assert run(name)["mean"] - control["accuracy"] == pytest.approx(0.008, abs=0.001)
        loss = float(np.mean(run(name)["losses"]))
        assert 1 - loss / control["loss"] == pytest.approx(lowered, abs=0.02)


@pytest.mark.parametrize("name", TRAINED)
def test_the_loss_tells_a_trained_network_from_its_controls(name):
    found = run(name)
    limit = references.loss_limit_of(found, references.runs("quick").values())
    assert max(found["losses"]) < limit
    assert limit < min(control["loss"] for control in found["controls"].values())


CONTROLS = {3: 0.8607, 2: 0.8293}


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.skipif(
    not (cifar10.data_folder() / cifar10.CACHE).exists(), reason="no cifar10.npz in COURSE_DATA"
)
@pytest.mark.parametrize("bits", [3, 2])
def test_the_control_for_cifar10_is_what_the_notebook_quotes(bits, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    dataset = data.load("cifar10", device="cpu")
    model = pretrained_resnet20(dataset)
    shared_network.prune(model, dataset, 0.5)
    shared_network.share(model, bits)
    reestimate_batch_norm(model, dataset)
    assert evaluate(model, dataset) == pytest.approx(CONTROLS[bits], abs=0.002)
    assert f"{CONTROLS[bits]:.4f}" in text("training-who-answer")


# ------------------------------------------------------------------------------------------------
# Section 3


@cache
def averages(profile, bits):
    """Return entropy and average length of the Huffman words over the network."""
    information = length = total = 0
    for w in layers(profile).values():
        counts = np.bincount(clustered(w, bits)[0], minlength=2**bits)
        total += counts.sum()
        information += counts.sum() * huffman.entropy(counts)
        length += coded(counts)
    return information / total, length / total


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["quick", "full"])
def test_the_average_length_is_within_a_twentieth_of_a_bit_of_the_entropy(profile):
    for bits in (6, 5, 4, 3, 2):
        entropy, average = averages(profile, bits)
        assert entropy <= average < entropy + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["quick", "full"])
def test_huffman_coding_saves_most_with_many_centroids(profile):
    saved = {bits: bits - averages(profile, bits)[1] for bits in (6, 5, 2)}
    assert 0.7 < min(saved[6], saved[5]) < max(saved[6], saved[5]) < 0.81
    assert saved[2] < 0.2


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_words_of_frequent_labels_are_close_to_their_information(profile):
    counts = np.bincount(clustered(layers(profile)["stage2.1.conv1"], 4)[0], minlength=16)
    shares = counts / counts.sum()
    assert 0.15 < shares.max() < 0.21
    frequent = shares > 0.02
    lengths, information = huffman.code_lengths(counts)[frequent], -np.log2(shares[frequent])
    assert np.abs(lengths - information).max() < 1


def test_a_word_can_be_longer_or_shorter_than_the_information_of_a_rare_symbol_by_bits():
    counts = np.array([1000, 1, 1, 1, 1])
    information = -np.log2(counts / counts.sum())
    assert (information - huffman.code_lengths(counts)).max() > 6
    fibonacci = [1, 1]
    while len(fibonacci) < 20:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    information = -np.log2(np.array(fibonacci) / sum(fibonacci))
    assert (huffman.code_lengths(fibonacci) - information).max() > 4


# ------------------------------------------------------------------------------------------------
# Section 4


@cache
def ways(sparsity):
    """Return bits per weight of zero as a symbol and of labels and runs, and those of the runs."""
    w = layers("full", sparsity)["stage3.1.conv1"]
    kept = w != 0
    counts = np.bincount(clustered(w, 4)[0], minlength=16)
    runs, plain = {}, {}
    for width in (1, 2, 3, 4, 5, 8):
        found = run_lengths.run_lengths(kept, width)
        runs[width] = coded(np.bincount(found, minlength=2**width)) / kept.sum()
        plain[width] = width * len(found) / kept.sum()
    with_zero = np.append(counts, (~kept).sum())
    zero = coded(with_zero) / w.size
    split = coded(counts) / w.size + min(runs.values()) * kept.mean()
    return zero, split, huffman.entropy(with_zero), plain, runs


@pytest.mark.slow
def test_runs_cost_as_much_as_zeros_at_50_percent_and_pay_from_70_percent_on():
    fewer = {s: 1 - ways(s)[1] / ways(s)[0] for s in (0.5, 0.6, 0.7, 0.8, 0.9)}
    assert abs(fewer[0.5]) < 0.001
    assert fewer[0.6] < 0.01
    assert fewer[0.7] > 0.05
    assert fewer[0.8] == pytest.approx(1 / 6, abs=0.01)
    assert fewer[0.9] == pytest.approx(0.4, abs=0.01)


@pytest.mark.slow
def test_zero_as_a_symbol_never_falls_below_one_bit_and_runs_do_between_80_and_90_percent():
    assert min(ways(s)[0] for s in (0.8, 0.9, 0.95)) > 1
    assert ways(0.8)[1] > 1 > ways(0.9)[1]
    assert all(abs(ways(s)[1] - ways(s)[2]) < 0.03 for s in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95))


@pytest.mark.slow
def test_the_best_width_is_1_bit_at_50_percent_and_4_bits_at_90_percent():
    for sparsity, best in ((0.5, 1), (0.9, 4)):
        plain = ways(sparsity)[3]
        assert min(plain, key=plain.__getitem__) == best
    assert ways(0.5)[3][1] * 0.5 == pytest.approx(1)  # one bit for every weight


@pytest.mark.slow
def test_huffman_coding_makes_the_width_less_important_unless_it_is_too_small():
    _, _, _, plain, runs = ways(0.9)
    assert max(runs[w] for w in (3, 4, 5, 8)) < 1.02 * min(runs.values())
    assert max(plain[w] for w in (3, 4, 5, 8)) > 1.5 * min(plain.values())
    assert runs[1] > 2 * min(runs.values())


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_in_the_small_layers_64_centroids_take_more_bits_than_the_labels(profile):
    for name in ("stem", "classifier"):
        assert 6 * np.count_nonzero(layers(profile)[name]) < 64 * 32


# ------------------------------------------------------------------------------------------------
# Sections 5 and 6


@cache
def parts():
    """Return the bytes of each part of the file of the reference run with 3 bits."""
    model = resnet20()
    load_artifact(artifacts("quick", "deep_compression"), "shared_3bit").load_into(model)
    found = dict.fromkeys(("labels", "index", "codebooks", "tables", "rest"), 0)
    for weight in masks.layer_weights(model).values():
        w = weight.numpy()
        centroids, labels = np.unique(w[w != 0], return_inverse=True)
        runs = run_lengths.run_lengths(w != 0, 3)
        counts = np.bincount(labels), np.bincount(runs, minlength=8)
        found["labels"] += (coded(counts[0]) + 7) // 8
        found["index"] += (coded(counts[1]) + 7) // 8
        found["codebooks"] += 4 * len(centroids)
        found["tables"] += 4 + 16 + len(centroids) + 8
    stored = {f"{name}.weight" for name in masks.layer_weights(model)}
    others = [t for n, t in model.state_dict().items() if n not in stored]
    found["rest"] = 4 * sum(t.numel() for t in others if t.is_floating_point())
    return found


def test_what_the_reported_formula_leaves_out_weighs_what_the_model_answer_says():
    found = parts()
    left_out = {name: size for name, size in found.items() if name != "labels"}
    assert max(left_out, key=left_out.__getitem__) == "index"
    kilobytes = {name: f"{size / 1000:.0f}" for name, size in found.items()}
    said = (
        f"The index weighs most: {kilobytes['index']} kB of {sum(found.values()) / 1000:.0f} kB, "
        f"after {kilobytes['labels']} kB of labels; then come the {found['rest'] / 1000:.1f} kB"
    )
    assert said in text("file_published_answer")


@pytest.mark.parametrize("count", [4, 16])
@pytest.mark.parametrize("profile", ["quick", "full"])
def test_pruning_first_never_makes_the_least_distortion_larger(profile, count):
    for name in ("stem", "classifier"):
        whole = weight_sharing.optimal_distortion(layers(profile, 0.0)[name], count)
        assert weight_sharing.optimal_distortion(layers(profile)[name], count) <= whole


def test_the_longest_word_of_n_symbols_can_have_n_minus_1_bits():
    assert huffman.code_lengths([1, 1, 2, 4, 8]).tolist() == [4, 4, 3, 2, 1]


def built(sparsity, bits):
    dataset = data.load("digits")
    model = pretrained_resnet20(dataset)
    before = evaluate(model, dataset)
    shared_network.prune(model, dataset, sparsity)
    shared = shared_network.share(model, bits, cluster=weight_sharing.share_weights_by_sklearn)
    plain = {n: (k, c.astype(np.uint8), v.astype(np.float32)) for n, (k, c, v) in shared.items()}
    size = len(compressed_file.network_to_bytes(copy.deepcopy(model), plain, 3))
    reestimate_batch_norm(model, dataset)
    return before - evaluate(model, dataset), size


def choice():
    (found,) = re.findall(r"BEST = pick\(quick=\(([\d.]+), (\d)\)", text("file_choice"))
    return float(found[0]), int(found[1])


@pytest.mark.slow
@pytest.mark.thorough
def test_our_choice_of_sparsity_and_bits_stays_within_the_loss_and_more_would_not():
    sparsity, bits = choice()
    assert built(sparsity, bits)[0] <= 0.05
    assert built(sparsity + 0.1, bits)[0] > 0.05
    assert built(0.5, bits - 1)[0] > 0.05


@pytest.mark.slow
@pytest.mark.thorough
def test_our_choice_is_much_smaller_than_50_percent_and_4_bits():
    assert built(*choice())[1] < 0.8 * built(0.5, 4)[1]


def test_the_histories_of_the_frozen_networks_end_as_the_manifest_says():
    for name in TRAINED:
        history = artifacts("quick", "deep_compression") / f"{name}.json"
        last = json.loads(history.read_text())["test_accuracy"][-1]
        assert last == pytest.approx(run(name)["accuracies"][0], abs=1e-9)
