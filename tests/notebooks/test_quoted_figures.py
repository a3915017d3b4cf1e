"""The figures that the notebooks quote from our runs on CIFAR-10 are those in the manifests.

A figure here is a number with four decimals. The texts that quote our figures are given below as
templates, filled from the manifests of `full`: a new reference run makes these tests fail until
the texts have been revised.
"""

import json
import re
from functools import partial
from math import sqrt

import pytest
from source_notebook import assignments, cells

from autograder import references
from autograder.runs.table import TRAINED, experiments, sweeps

FIGURE = re.compile(r"(?<![\d.])\d\.\d{4,}(?!\d)")
LEARNING_RATES = {"0.0003", "0.0001"}
# From a second report on equal bits, and of the network for which weight sharing was reported.
ALSO_REPORTED = {"0.8650", "0.9130", "0.9045", "0.9133"}
# Of the network that was retrained without pruning, after which of the two weight decays.
ALSO_REPORTED |= {"0.9165", "0.9182"}


def standard_error(accuracy, images):
    return f"{sqrt(accuracy * (1 - accuracy) / images):.4f}"


# Standard errors, the share of an image, and the largest gain by pruning that was reported.
COMPUTED = {standard_error(0.9, 2000), standard_error(0.917, 10_000), f"{1 / 2000:.4f}"}
COMPUTED |= {f"{max(0.9175 - 0.9165, 0.9183 - 0.9182):.4f}"}

# With batch norm measured anew and nothing trained; `test_claims_quantization` measures them again.
CONTROLS = {
    "qat_4bit": "0.8846",
    "qat_3bit": "0.8572",
    "qat_2bit": "0.3967",
    "qat_442": "0.7429",
    "qat_424": "0.6862",
    "qat_244": "0.8469",
    "sparse_4bit": "0.6128",
    "sparse_3bit": "0.5870",
    "sparse_2bit": "0.3570",
    "iterative_4bit": "0.7270",
    "global_iterative": "0.7341",
}

# The texts say how many seeds these runs have, and that they come from one NVIDIA H100, all but the
# separable network in bfloat16.
TWO_SEEDS = [
    "sparse_3bit",
    "sparse_2bit",
    "wide_std_025",
    "wide_std_050",
    "wide_std_100",
    "wide_percentage_25",
    "wide_percentage_50",
    "wide_percentage_75",
]
TWO_SEEDS += ["convnet_multistep", "convnet_cosine", "convnet_one_cycle"]
TWO_SEEDS += ["structured", "unstructured", "depthwise_convnet"]
THREE_SEEDS = ["pruned_std", "pruned_percentage", "one_shot", "iterative", "global_iterative"]
THREE_SEEDS += ["qat_4bit", "qat_3bit", "qat_2bit", "qat_442", "qat_424", "qat_244"]
THREE_SEEDS += ["sparse_4bit", "iterative_4bit", "shared_3bit", "shared_2bit"]
SEEDS = [(name, 2) for name in TWO_SEEDS] + [(name, 3) for name in THREE_SEEDS]


@pytest.fixture(autouse=True)
def full(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")


def run(name):
    return references.runs("full")[name]


def before(name):
    return f"{run(name)['untrained']:.4f}"


def after(name):
    return f"{run(name)['mean']:.4f} ± {run(name)['spread']:.4f}"


def frozen(name):
    """Return the accuracy of the control that was trained without its weights."""
    return f"{run(name)['controls']['frozen']['accuracy']:.4f}"


def wide(name):
    return f"{run(f'wide_{name}')['mean']:.4f}"


def swept(name, label):
    return f"{references.sweeps('full')[name]['figures'][label]:.4f}"


def start(name="resnet20"):
    """Return the accuracy of the starting network: that of the first seed."""
    return f"{run(name)['accuracies'][0]:.4f}"


def seeds(name):
    return len(run(name)["seeds"])


def difference(higher, lower):
    return f"{run(higher)['mean'] - run(lower)['mean']:.4f}"


def of_bits(bits):
    """Return the row of equal bits up to the reported accuracy after fine-tuning."""
    return rf"\| {bits}, {bits}, {bits} \| \S+ \| {swept('rounded', f'{bits} bits')} \|"


def tuned(stages, name, bits=""):
    label = ", ".join(stages)
    return (
        rf"\| {label} \| \S+ \| {before(name)} \| {CONTROLS[name]} \| {frozen(name)} \| \S+ "
        rf"\| {after(name)} \| {seeds(name)} \| {bits}"
    )


def quoted():
    """Return (assignment, cell, pattern) of each place that quotes our figures."""
    quantization = {
        "mixed_stage": [
            rf"\$\(2, 4, 4\)\$ ended at {after('qat_244')}, "
            rf"\$\(4, 4, 2\)\$ at {after('qat_442')} and \$\(4, 2, 4\)\$ at {after('qat_424')}\.",
        ],
        "published-heading": [
            rf"\| float \| \S+ \| {start()} \|",
            *[of_bits(bits) for bits in (6, 5, 4, 3, 2)],
            *[tuned(str(bits) * 3, f"qat_{bits}bit") for bits in (4, 3, 2)],
            tuned("442", "qat_442", swept("average_precision", "4/4/2")),
            tuned("424", "qat_424", swept("average_precision", "4/2/4")),
            tuned("244", "qat_244", swept("average_precision", "2/4/4")),
            rf"our means are {difference('qat_442', 'qat_424')} apart",
        ],
        "bonus-published": [
            *[
                rf"\| {row} \| \S+ \| {CONTROLS[name]} \| {frozen(name)} \| {after(name)} \|"
                for row, name in (
                    ("80 % sparse, then 4 bits, zeros kept", "sparse_4bit"),
                    ("iterative global pruning with 4-bit training", "iterative_4bit"),
                    ("iterative global pruning in float", "global_iterative"),
                    ("4 bits without pruning", "qat_4bit"),
                )
            ],
            rf"they ended at {after('sparse_3bit')} and {after('sparse_2bit')}; with batch norm "
            rf"measured anew they reach {CONTROLS['sparse_3bit']} and {CONTROLS['sparse_2bit']}, "
            rf"and with frozen weights they end at {frozen('sparse_3bit')} and "
            rf"{frozen('sparse_2bit')}\.",
        ],
    }
    pruned = ["40 %", "60 %", "80 %"]
    anew = partial(swept, "pruned_measured_anew")
    pruning = {
        "retraining-published": [
            rf"comes with the course, with {start()} before pruning",
            rf"for the network before pruning it is {anew('nothing pruned')}\.",
            rf"\| {100 * run('pruned_std')['details']['sparsity']:.1f} % "
            rf"\| {before('pruned_std')} \| {anew('s = 1')} \| {frozen('pruned_std')} "
            rf"\| {after('pruned_std')} \|",
            rf"\| {100 * run('pruned_percentage')['details']['sparsity']:.1f} % "
            rf"\| {before('pruned_percentage')} \| {anew('75 %')} "
            rf"\| {frozen('pruned_percentage')} \| {after('pruned_percentage')} \|",
        ],
        "retrained_written": [
            rf"{wide('std_025')}, {wide('std_050')} and {wide('std_100')} by deviation, "
            rf"{wide('percentage_25')}, {wide('percentage_50')} and {wide('percentage_75')} "
            rf"by percentage, from {start('resnet20_wide')} before",
        ],
        "methods_written": [
            rf"one-shot ended at {after('one_shot')}, layer-wise iterative pruning at "
            rf"{after('iterative')} and global pruning at {after('global_iterative')}:",
        ],
        "methods-published": [
            rf"\| before pruning \| \S+ \| {anew('nothing pruned')} \| \| {start()} \|",
            rf"\| one-shot \| \S+ \| {anew('80 %')} \| {frozen('one_shot')} "
            rf"\| {after('one_shot')} \|",
            rf"\| iterative \| \S+ \| {anew('80 %')} \| {frozen('iterative')} "
            rf"\| {after('iterative')} \|",
            rf"\| iterative and global \| \S+ \| {anew('80 % globally')} "
            rf"\| {frozen('global_iterative')} \| {after('global_iterative')} \|",
            *[
                rf"\| {q} \| \S+ \| {swept('pruned_per_layer', q)} \| {anew(q)} "
                rf"\| {swept('pruned_globally', q)} \| {anew(f'{q} globally')} \|"
                for q in pruned
            ],
            rf"is ahead of one-shot by {difference('iterative', 'one_shot')},",
        ],
    }
    deep_compression = {
        "sharing-published": [
            rf"with {start('resnet20_wide')} before sharing",
            *[
                rf"\| {bits} bits \| \S+ \| {swept('weight_sharing', f'{bits} bits')} \|"
                for bits in (6, 5, 4, 3)
            ],
            *[
                rf"\| 4 bits, {how} start \| \S+ \| {swept('starting_centroids', how)} \|"
                for how in ("random", "density", "linear")
            ],
        ],
        "training-who-answer": [
            # The controls in the middle: `test_claims_deep_compression` measures them again.
            rf"\| {bits} bits \| {before(name)} \| {control} \| {frozen(name)} \| {after(name)} \|"
            for bits, name, control in (
                (3, "shared_3bit", "0.8607"),
                (2, "shared_2bit", "0.8293"),
            )
        ],
        "huffman-average-look": [rf"we measured {swept('huffman_bits', '5 bits')}\."],
    }
    multistep, cosine, one_cycle = (
        after(f"convnet_{name}") for name in ("multistep", "cosine", "one_cycle")
    )
    lr_schedules = {
        "trends_written": [rf"MultiStep ended at {multistep} and cosine at {cosine}\."],
        "schedules_written": [
            rf"MultiStep ended at {multistep}, cosine at {cosine} and one cycle at {one_cycle};"
        ],
    }
    structured_pruning = {
        "unstructured_written": [
            rf"the baseline ended at {multistep}, weights at {after('unstructured')} and filters "
            rf"at {after('structured')},",
        ],
    }
    depthwise_conv = {
        "tradeoff_written": [
            rf"the separable network ended at {after('depthwise_convnet')} and the dense one at "
            rf"{multistep},",
        ],
    }
    places = {
        "lr_schedules": lr_schedules,
        "structured_pruning": structured_pruning,
        "depthwise_conv": depthwise_conv,
        "quantization": quantization,
        "pruning": pruning,
        "deep_compression": deep_compression,
    }
    return [
        (assignment, cell, pattern)
        for assignment, found in places.items()
        for cell, patterns in found.items()
        for pattern in patterns
    ]


def history(name, assignment="pruning"):
    """Return the history of the first seed of a run."""
    return json.loads((references.artifacts("full", assignment) / f"{name}.json").read_text())


def text(assignment, cell_id):
    (cell,) = [c for c in cells(assignment) if c.id == cell_id]
    return " ".join(cell.source.split())


QUOTED = quoted()


def not_ours(assignment, cell_id):
    """Return the figures of a cell that no place above accounts for."""
    found = text(assignment, cell_id)
    patterns = [pattern for *place, pattern in QUOTED if place == [assignment, cell_id]]
    spans = [match.span() for pattern in patterns for match in re.finditer(pattern, found)]
    return [
        match[0]
        for match in FIGURE.finditer(found)
        if not any(begin <= match.start() < end for begin, end in spans)
    ]


@pytest.mark.parametrize(("assignment", "cell", "pattern"), QUOTED, ids=[c for _, c, _ in QUOTED])
def test_a_quoted_figure_is_the_one_in_the_manifest(assignment, cell, pattern):
    assert re.search(pattern, text(assignment, cell)), pattern


@pytest.mark.parametrize("assignment", assignments())
def test_every_other_figure_is_a_reported_one(assignment):
    rows = [*experiments(), *sweeps()]
    known = {f"{figure:.4f}" for row in rows for figure in row.reported.values()}
    known |= ALSO_REPORTED | LEARNING_RATES | COMPUTED
    for cell in cells(assignment):
        if cell.cell_type == "markdown":
            assert set(not_ours(assignment, cell.id)) <= known, cell.id


@pytest.mark.parametrize(("name", "number"), SEEDS)
def test_a_quoted_run_is_complete_and_from_the_device_and_seeds_in_the_texts(name, number):
    assert seeds(name) == number
    assert run(name)["share"] == 1
    assert run(name)["precision"] == ("float32" if name == "depthwise_convnet" else "bfloat16")
    assert "NVIDIA H100" in run(name)["run_on"]["device"]


# ------------------------------------------------------------------------------------------------
# What the texts conclude


def test_each_run_of_2_4_4_bits_is_above_all_runs_of_the_other_schemes():
    others = run("qat_442")["accuracies"] + run("qat_424")["accuracies"]
    assert min(run("qat_244")["accuracies"]) > max(others)
    reported = {e.name: e.reported[TRAINED] for e in experiments() if e.name.startswith("qat_")}
    mixed = {name: reported[name] for name in ("qat_442", "qat_424", "qat_244")}
    assert max(mixed, key=mixed.__getitem__) == "qat_244"


def test_the_reported_order_of_the_other_two_schemes_is_the_opposite_of_ours():
    reported = {e.name: e.reported[TRAINED] for e in experiments() if e.name.startswith("qat_")}
    assert reported["qat_442"] < reported["qat_424"]
    assert run("qat_442")["mean"] > run("qat_424")["mean"]


def test_of_the_mixed_schemes_2_4_4_bits_were_the_worst_before_training():
    assert run("qat_244")["untrained"] < run("qat_424")["untrained"] < run("qat_442")["untrained"]


def test_the_control_turns_the_order_of_the_mixed_schemes_around():
    mixed = ("qat_442", "qat_424", "qat_244")
    assert min(mixed, key=lambda name: run(name)["untrained"]) == "qat_244"
    assert max(mixed, key=CONTROLS.__getitem__) == "qat_244"


def test_with_4_bits_everywhere_new_statistics_make_the_network_slightly_worse():
    assert 0.01 < run("qat_4bit")["untrained"] - float(CONTROLS["qat_4bit"]) < 0.02


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("iterative_4bit", "global_iterative"),
        ("iterative", "global_iterative"),
        ("pruned_std", "pruned_percentage"),
    ],
)
def test_runs_that_are_said_to_be_equal_differ_by_less_than_the_spread(one, other):
    spread = max(run(one)["spread"], run(other)["spread"])
    assert abs(run(one)["mean"] - run(other)["mean"]) < spread


def test_iterative_and_global_pruning_are_less_than_ten_images_apart():
    images = run("iterative")["run_on"]["test_images"]
    assert abs(run("iterative")["mean"] - run("global_iterative")["mean"]) * images < 10


def test_iterative_pruning_is_eleven_images_ahead_of_one_shot_which_the_seed_alone_makes():
    ahead = run("iterative")["mean"] - run("one_shot")["mean"]
    assert round(ahead * run("iterative")["run_on"]["test_images"]) == 11
    assert ahead < run("one_shot")["spread"]


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("qat_4bit", 0, 0.5),
        ("qat_2bit", 12, 12.5),
        ("pruned_std", 3, 4.2),
        ("pruned_percentage", 3, 4.2),
        ("shared_3bit", 0.25, 0.45),
        ("shared_2bit", 0.25, 0.45),
    ],
)
def test_what_trained_weights_add_to_the_control_with_frozen_ones(name, least, most):
    added = run(name)["mean"] - run(name)["controls"]["frozen"]["accuracy"]
    assert least < 100 * added < most


@pytest.mark.parametrize("name", ["pruned_std", "pruned_percentage"])
def test_training_brings_a_pruned_network_back_to_within_a_percentage_point(name):
    assert run("resnet20")["accuracies"][0] - run(name)["mean"] < 0.01


def test_the_curves_of_step_by_step_pruning_dip_by_no_more_than_two_percentage_points():
    for name in ("iterative", "global_iterative"):
        curve = history(name)["test_accuracy"]
        best, last = max(curve[:8]), min(curve[7:10])
        assert 0.01 < best - last < 0.02
        assert curve[-1] > best


def test_the_linear_start_is_the_best_one_and_the_other_two_change_places():
    ours = references.sweeps("full")["starting_centroids"]["figures"]
    (theirs,) = [sweep.reported for sweep in sweeps() if sweep.name == "starting_centroids"]
    assert ours["linear"] > ours["random"] > ours["density"]
    assert theirs["linear"] > theirs["density"] > theirs["random"]


def test_the_wide_networks_have_the_epochs_that_the_notes_on_milder_pruning_state():
    names = [name for name in references.runs("full") if name.startswith(("wide_std", "wide_perc"))]
    assert len(names) == 6
    assert all(run(name)["recipe"].count(", 20 epochs with masks") == 1 for name in names)


def test_in_full_too_the_strongest_pruning_in_each_column_costs_most():
    for columns in (
        ("std_025", "std_050", "std_100"),
        ("percentage_25", "percentage_50", "percentage_75"),
    ):
        *milder, strongest = (run(f"wide_{name}")["mean"] for name in columns)
        assert strongest < min(milder)


def test_new_statistics_from_few_images_cost_accuracy_by_themselves():
    ours = references.sweeps("full")["pruned_measured_anew"]["figures"]
    assert ours["nothing pruned"] < run("resnet20")["accuracies"][0] - 0.03
    assert ours["80 % globally"] - ours["80 %"] > 0.1


def test_cosine_and_one_cycle_end_ahead_of_multistep_and_differ_by_less_than_the_spread():
    multistep, cosine, one_cycle = (
        run(f"convnet_{name}") for name in ("multistep", "cosine", "one_cycle")
    )
    assert min(cosine["accuracies"] + one_cycle["accuracies"]) > max(multistep["accuracies"])
    spread = min(cosine["spread"], one_cycle["spread"])
    assert abs(cosine["mean"] - one_cycle["mean"]) < spread


def test_without_half_of_the_filters_every_run_ends_far_below_the_others():
    others = run("convnet_multistep")["accuracies"] + run("unstructured")["accuracies"]
    assert max(run("structured")["accuracies"]) < min(others) - 0.04


def test_the_separable_network_is_behind_on_the_training_images_as_well():
    separable = history("depthwise_convnet", "depthwise_conv")["train_accuracy"][-1]
    dense = history("convnet_multistep", "lr_schedules")["train_accuracy"][-1]
    assert 1 - separable > 1.5 * (1 - dense)
