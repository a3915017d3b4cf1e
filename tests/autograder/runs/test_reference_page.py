"""The results page is made only from the table of experiments and the manifests."""

import re

import numpy as np
import pytest
from PIL import Image

from autograder import references
from autograder.runs import charts
from autograder.runs import page as reference_page
from autograder.runs.table import experiments, sweeps
from helpers import data

PROFILES = [p for p in ("quick", "full") if (references.FROZEN / p / "README.md").exists()]

RUN = {
    "recipe": "trained",
    "share": 1.0,
    "untrained": 0.1,
    "accuracies": [0.91 - 0.002 / 2**0.5, 0.91 + 0.002 / 2**0.5],
    "mean": 0.91,
    "spread": 0.002,
    "details": {"sparsity": 0.8},
    "seconds": [10.0, 20.0],
    "seeds": [0, 1],
    "precision": "bfloat16",
    "run_on": {"device": "a GPU", "data": "cifar10", "test_images": 10_000},
}
ALONE = {"spread": None, "seeds": [0], "accuracies": [0.91], "seconds": [10.0]}


@pytest.fixture
def page(monkeypatch):
    """Return a function that gives the tables of `full` for invented runs and sweeps."""
    monkeypatch.setenv("COURSE_PROFILE", "full")

    def tables(runs, swept=None):
        monkeypatch.setattr(reference_page, "runs", lambda profile: runs)
        monkeypatch.setattr(reference_page, "measured", lambda profile: swept or {})
        return reference_page.tables("full")

    return tables


@pytest.mark.parametrize("profile", PROFILES)
def test_the_committed_page_is_the_one_that_the_manifests_give(profile, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    committed = (references.FROZEN / profile / "README.md").read_text()
    assert committed == reference_page.page(profile)


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_the_committed_figures_are_those_that_the_manifests_give(profile, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    charts.write(profile, tmp_path)
    committed = references.FROZEN / profile / "plots"
    assert {f.name for f in tmp_path.iterdir()} == {f.name for f in committed.iterdir()}
    for file in tmp_path.iterdir():
        ours, theirs = (np.asarray(Image.open(f), float) for f in (file, committed / file.name))
        assert ours.shape == theirs.shape
        # Another version of the fonts may shift an edge, but not move a point or a line.
        assert np.abs(ours - theirs).mean() < 2, file.name


@pytest.mark.parametrize("profile", PROFILES)
def test_every_figure_on_the_page_exists(profile):
    folder = references.FROZEN / profile
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", (folder / "README.md").read_text())
    assert pictures
    assert all((folder / picture).is_file() for picture in pictures)


def test_a_trained_network_is_listed_beside_the_reported_figures(page):
    line = (
        "| `qat_4bit` | trained | 270,896 | 10,000 images of `cifar10` | 0.8972 | 0.1000 |  |  | "
        "0.9149 | 0.9100 ± 0.0020 | -0.0049 | 2 | 15 | a GPU, bfloat16 |\n"
    )
    assert line in page({"qat_4bit": RUN})


def test_a_language_model_is_tested_on_the_characters_of_a_text(page):
    on_text = {"device": "a GPU", "data": "tinyshakespeare", "test_images": 111_488}
    text = page({"char_transformer": RUN | {"run_on": on_text}, "qat_4bit": RUN})
    assert "| 803,072 | 111,488 characters of `tinyshakespeare` |" in text
    data = text.partition("## Data\n\n")[2].partition("\n\n")[0]
    assert data.splitlines() == [
        "- `cifar10`: images, CIFAR-10.",
        "- `tinyshakespeare`: characters, tiny Shakespeare, from the plays of William Shakespeare.",
    ]


def test_every_data_set_of_the_course_is_described():
    used = {row.data[profile] for row in [*experiments(), *sweeps()] for profile in PROFILES}
    assert used <= set(reference_page.DATA)
    for name, unit in (("digits", "images"), ("dark_digits", "images"), ("alice", "characters")):
        assert data.load(name, device="cpu").unit == reference_page.DATA[name][0] == unit


def test_a_part_of_the_epochs_is_marked(page):
    assert "| a GPU, bfloat16, 0.1 of the epochs |" in page({"qat_4bit": RUN | {"share": 0.1}})


def test_a_single_run_has_no_spread(page):
    assert "| 0.9100 | -0.0049 |" in page({"qat_4bit": RUN | ALONE})


def test_a_bar_stands_beside_mean_and_seeds(page):
    # The spread is one standard error, 0.00286: t(0.99, 1) = 31.82.
    assert "| `qat_2bit` | 0.9100 | 2 | 0.7985 |  |  |  |\n" in page({"qat_2bit": RUN})


def test_controls_stand_between_the_untrained_and_the_trained_network(page):
    controls = {
        "recalibrated": {"accuracy": 0.51, "loss": 0.9},
        "frozen": {"accuracy": 0.62, "loss": 0.4, "share": 1.0},
    }
    text = page({"qat_2bit": RUN | {"losses": [0.1], "controls": controls}})
    assert "| 0.1000 | 0.5100 | 0.6200 | 0.8591 | 0.9100 ± 0.0020 |" in text
    assert "| 0.7985 | 0.1000 | 0.4000 | 0.2000 |\n" in text


def test_a_single_seed_is_said_to_have_no_bar(page):
    bars = page({"qat_3bit": RUN | ALONE, "qat_2bit": RUN}).partition("must reach")[2]
    assert "gives no bar: `qat_3bit`.\n" in bars
    assert "| `qat_3bit` |" not in bars


def test_a_starting_network_has_no_bar_since_nobody_submits_it(page):
    assert "must reach" not in page({"resnet20": RUN})


@pytest.mark.parametrize("profile", PROFILES)
def test_the_bars_on_the_page_are_those_that_hidden_tests_require(profile, monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", profile)
    bars = reference_page.tables(profile).partition("must reach")[2].partition("##")[0]
    rows = re.findall(r"^\| `(\w+)` \| \S+ \| \d \| (\S+) \|", bars, flags=re.MULTILINE)
    assert rows
    for name, bar in rows:
        assert bar == f"{references.bar(profile, name):.4f}"


def test_a_missed_aim_says_by_how_much_and_why(page):
    text = page({"qat_4bit": RUN | {"share": 0.1}, "qat_3bit": RUN})
    missed = text.partition("## Below the reported accuracy")[2]
    assert "`qat_4bit` is 0.0049 below: trained for only 0.1 of the epochs." in missed
    assert "qat_3bit" not in missed.partition("##")[0]


def test_figures_that_need_no_training_are_listed_beside_the_reported_ones(page):
    swept = {"recipe": "rounded", "figures": {"3 bits": 0.7}, "run_on": RUN["run_on"]}
    line = (
        "| 3 bits | `rounded`: rounded | 0.7662 | 0.7000 | -0.0662 | 270,896 | `cifar10` | "
        "a GPU |\n"
    )
    assert line in page({}, {"rounded": swept})


def test_details_of_a_trained_network_are_figures_too(page):
    assert "| sparsity | `wide_std_025`, trained | 0.2374 | 0.8000 |" in page({"wide_std_025": RUN})


def test_figures_of_other_data_are_not_compared_with_reported_ones(page):
    digits = RUN | {"run_on": RUN["run_on"] | {"data": "digits"}}
    assert "0.9149" not in page({"qat_4bit": digits})


def test_what_was_not_run_is_listed(page):
    missing = page({"qat_4bit": RUN}).partition("Not run yet: ")[2]
    assert "qat_3bit" in missing
    assert "average_precision" in missing
    assert "qat_4bit" not in missing


def test_every_reported_label_is_one_that_is_measured(monkeypatch):
    """A figure under another name would silently lose its comparison."""
    monkeypatch.setenv("COURSE_PROFILE", "full")
    known = {"untrained", "trained", "sparsity", "size ratio", "bits per weight"}
    assert {label for e in experiments() for label in e.reported} <= known
    measured = references.sweeps("quick")
    for sweep in sweeps():
        assert set(sweep.reported) <= set(measured[sweep.name]["figures"]), sweep.name
