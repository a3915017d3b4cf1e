"""An artifact knows the code and the settings that trained it, and says what has changed since."""

import os
from dataclasses import replace

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import nn

from helpers.artifacts import artifact_folder, load_artifact, save_artifact, train_or_load
from helpers.provenance import Provenance
from helpers.training import History

HISTORY = History([1.0, 0.5], [0.5, 0.75], [0.5, 0.7], [0.1, 0.05], [2.0, 2.5])

CELL = """
import torch
from functools import partial
from torch import nn

CONFIG = {"lr": 0.01, "milestones": [2, 3]}

def keep(w, share):
    \"\"\"Return a mask.\"\"\"
    return w.abs() > share  # a comment

def hold(model, masks):
    keep(model[0].weight, 0.5)

class Layer(nn.Linear):
    bits = 4

    def forward(self, x):
        return super().forward(keep(x, self.bits))

class Hooks:
    def __init__(self, epochs):
        self.epochs = epochs

    def before_epoch(self, model, epoch):
        hold(model, None)

def start():
    torch.manual_seed(0)
    return nn.Sequential(Layer(20, 30))

def fine_tune(name, epochs):
    model = start()
    hooks = Hooks(7)

    def train(model, checkpoint):
        seed = 0
        return fit(model, epochs=epochs, after_step=partial(hold, masks=None), hooks=hooks,
                   rate=CONFIG, lr=0.01, checkpoint=checkpoint)

    return train_or_load(name, train, model)

history = fine_tune("net", 3)
"""


class Notebook:
    """A notebook's kernel, in which a training takes no time."""

    def __init__(self, capsys):
        self.trained = 0
        self._capsys = capsys
        self._stop = None
        self.restart()

    def restart(self):
        self._shell = InteractiveShell(colors="nocolor")
        self._shell.user_module.__dict__.update(fit=self.fit, train_or_load=train_or_load)

    def fit(self, model, checkpoint, **settings):
        self.trained += 1
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.touch()
        if self._stop is not None:
            raise self._stop
        with torch.no_grad():
            model[0].weight += 1
        return HISTORY

    def run(self, source, stop=None):
        """Run a cell; return what it says."""
        self._stop = stop
        self._capsys.readouterr()
        result = self._shell.run_cell(source)
        if stop is None:
            result.raise_error()
        return self._capsys.readouterr().out


@pytest.fixture
def notebook(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    return Notebook(capsys)


UNCHANGED = {
    "nothing": ("", ""),
    "a comment": ("# a comment", "# another"),
    "a docstring": ("Return a mask.", "Return the mask."),
    "the layout": ("def fine_tune(name, epochs):", "\n\ndef fine_tune(\n    name, epochs\n):"),
    "code that has nothing to do with it": ("class Hooks", "def other():\n    pass\n\nclass Hooks"),
}


@pytest.mark.parametrize(("old", "new"), UNCHANGED.values(), ids=UNCHANGED)
def test_without_a_change_that_matters_an_artifact_is_loaded_as_before(notebook, old, new):
    notebook.run(CELL)
    notebook.restart()
    said = notebook.run(CELL.replace(old, new) if old else CELL)
    assert said.strip() == (
        "net: loaded from artifacts/quick; to train again, delete net.safetensors there."
    )
    assert notebook.trained == 1


CHANGED = {
    "an argument": ('"net", 3', '"net", 5', "epochs was 3, and is 5"),
    "a literal": (
        "lr=0.01, ch",
        "lr=0.1, ch",
        "the code of fine_tune.train: `return fit(model, epochs=epochs",
    ),
    "an entry of a global dict": ('"lr": 0.01', '"lr": 0.1', "CONFIG['lr'] was 0.01, and is 0.1"),
    "an entry of a list": ("[2, 3]", "[2, 4]", "CONFIG['milestones'][1] was 3, and is 4"),
    "a seed": ("seed = 0", "seed = 1", "the code of fine_tune.train: `seed = 0` became `seed = 1`"),
    "a function that a hook calls": ("> share", ">= share", "the code of keep: `return w.abs() >"),
    "a hook that is passed on": ("hold(model, None)", "pass", "the code of Hooks.before_epoch"),
    "what a hook object keeps": ("Hooks(7)", "Hooks(8)", "hooks.epochs was 7, and is 8"),
    "a layer of the network": (
        "super().forward(",
        "2 * super().forward(",
        "the code of Layer.forward",
    ),
    "a number of a layer's class": ("bits = 4", "bits = 2", "Layer.bits was 4, and is 2"),
    "a function that is used now": (
        "def train(model, checkpoint):",
        "def train(model, checkpoint):\n        start()",
        "start was not used before",
    ),
    "the network at the start": (
        "manual_seed(0)",
        "manual_seed(1)",
        "the network that the training starts from is another one",
    ),
}


@pytest.mark.parametrize(("old", "new", "words"), CHANGED.values(), ids=CHANGED)
def test_a_change_is_named_and_how_to_train_anew(notebook, old, new, words):
    notebook.run(CELL)
    notebook.restart()
    changed = CELL.replace(old, new)
    assert changed != CELL
    said = notebook.run(changed)
    assert "net: the old network was loaded. Since it was trained, this has changed:" in said
    assert f"\n  - {words}" in said
    path = os.path.join("artifacts", "quick", "net.safetensors")
    assert f"To train it anew, delete {path} and run this cell again." in said
    assert notebook.trained == 1


def test_after_a_new_training_nothing_has_changed(notebook):
    notebook.run(CELL)
    changed = CELL.replace('"net", 3', '"net", 5')
    (artifact_folder() / "net.safetensors").unlink()
    notebook.run(changed)
    assert "changed" not in notebook.run(changed)
    assert notebook.trained == 2


def test_a_network_that_is_trained_already_is_not_taken_for_another_start(notebook):
    notebook.run(CELL.replace("model = start()", "model = network").replace("history =", "#"))
    notebook.run("network = start()\nhistory = fine_tune('net', 3)")
    assert "changed" not in notebook.run("history = fine_tune('net', 3)")


def test_many_changes_are_cut_short():
    then = Provenance(settings={f"s{n}": n for n in range(20)})
    now = replace(then, settings=dict.fromkeys(then.settings, -1))
    assert then.changes(now)[4:] == ["s4 was 4, and is -1", "and 15 more"]


def test_data_in_lists_are_not_taken_for_settings_without_end():
    rows = [[[0.0] * 60 for _ in range(60)] for _ in range(60)]

    def train(model, checkpoint):
        return rows

    assert len(Provenance.of(train, nn.Linear(1, 1)).settings) == 300


def test_an_interrupted_training_of_the_same_code_keeps_its_checkpoint(notebook):
    notebook.run(CELL, stop=KeyboardInterrupt())
    assert "beginning" not in notebook.run(CELL)
    assert not list(artifact_folder().glob("*.begun.json"))


def test_an_interrupted_training_of_other_code_starts_from_the_beginning_and_says_why(notebook):
    notebook.run(CELL, stop=KeyboardInterrupt())
    notebook.restart()
    changed = CELL.replace("> share", ">= share")
    said = notebook.run(changed, stop=KeyboardInterrupt())
    assert "Training starts from the beginning, because of what changed since" in said
    assert "  - the code of keep: " in said
    assert "beginning" not in notebook.run(changed)


def test_an_artifact_without_a_provenance_is_loaded_as_before(notebook):
    torch.manual_seed(0)
    save_artifact(artifact_folder(), "net", nn.Sequential(nn.Linear(20, 30)), HISTORY)
    assert "net: loaded from artifacts/quick; to train again" in notebook.run(CELL)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"code": 1, "settings": 2, "start": 3}'])
def test_a_provenance_that_is_malformed_counts_as_none(text):
    assert Provenance.from_json(text) is None


def test_grading_compares_nothing(notebook, monkeypatch):
    notebook.run(CELL)
    monkeypatch.setenv("COURSE_GRADING", "1")
    assert "changed" not in notebook.run(CELL.replace('"net", 3', '"net", 5'))


def test_the_history_that_is_handed_in_keeps_its_form(notebook):
    notebook.run(CELL)
    assert load_artifact(artifact_folder(), "net").history == HISTORY
