"""Recorded steps give the same as plain ones, and steps that cannot be recorded are done plainly.

These tests need no GPU: their recorder does at once what it is asked to record, which tests
everything except the recording itself (see test_cuda_graph.py for that).
"""

import math
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from course_trainings import KINDS, distance, small_model
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from helpers import data, training
from helpers.data import Dataset, Split
from helpers.steps import AHEAD, WARM_UP
from helpers.training import PRECISIONS, evaluate, fit

BATCH_SIZE = 32
STEPS = 8  # per epoch


class AtOnce:
    """A recorder without a GPU: a recording is the function itself."""

    def __init__(self, waits=False, fails=False):
        self.is_to_wait = waits
        self.is_to_fail = fails
        self.recordings = 0
        self.ahead = []

    def working(self):
        return nullcontext()

    def waits(self, do):
        do()
        return self.is_to_wait

    def record(self, do):
        self.recordings += 1
        if self.is_to_fail:
            raise RuntimeError("operation not permitted when stream is capturing\nand more")
        self.ahead.append(0)

        def replay():
            self.ahead[-1] += 1
            do()

        return replay

    def pace(self):
        self.ahead.append(0)

    def read(self, numbers):
        return numbers.tolist()


@pytest.fixture(scope="module")
def digits():
    whole = data.load("digits", device="cpu")
    count = STEPS * BATCH_SIZE
    return replace(
        whole,
        train=Split(whole.train.images[:count], whole.train.labels[:count]),
        test=Split(whole.test.images[:150], whole.test.labels[:150]),
    )


@pytest.fixture
def recorder(monkeypatch):
    def used(**faults):
        found = AtOnce(**faults)
        monkeypatch.setattr(training, "_recorder", lambda device: found)
        return found

    return used


def trained(model, dataset, **options):
    settings = {"epochs": 2, "lr": 0.01, "batch_size": BATCH_SIZE, "precision": "float32"}
    return fit(model, dataset, progress=False, **(settings | options))


def figures(history):
    found = history.to_dict()
    del found["seconds"]
    return found


def rise_and_fall(step):
    """Rise for an epoch, then fall."""
    return 0.9 ** abs(step - STEPS)


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_a_recorded_training_equals_a_plain_one_up_to_rounding(kind, digits, recorder):
    def train(lr, **options):
        model, hooks = KINDS[kind](digits)
        return model, trained(model, digits, lr=lr, **hooks, **options)

    found = recorder()
    recorded, history = train(0.01)
    plain, expected = train(0.01, cuda_graph=False)
    # The learning rate is rounded to float32, so the results may differ by as much as those of a
    # training whose learning rate is off by one such rounding.
    off, figures_off = train(0.01 * (1 + 2**-23), cuda_graph=False)
    assert found.recordings > 0
    assert distance(recorded, plain) <= distance(off, plain)
    for name, numbers in figures(expected).items():
        allowed = [abs(a - b) for a, b in zip(getattr(figures_off, name), numbers, strict=True)]
        differences = [abs(a - b) for a, b in zip(getattr(history, name), numbers, strict=True)]
        assert all(d <= a for d, a in zip(differences, allowed, strict=True)), name


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("schedule", ["cosine", "multistep", "constant", rise_and_fall])
def test_every_schedule_and_precision_can_be_recorded(precision, schedule, digits, recorder):
    recorder()
    recorded, plain = small_model(), small_model()
    options = {"precision": precision, "schedule": schedule, "lr": 0.05, "epochs": 4}
    history = trained(recorded, digits, **options)
    expected = trained(plain, digits, cuda_graph=False, **options)
    assert history.learning_rate == expected.learning_rate
    # Each step may round a number once more; if products have 8 bits, this may change the last.
    rounding = 2**-8 if precision != "float32" else 4 * STEPS * 2**-23
    largest = max(
        x.abs().max().item() for x in plain.state_dict().values() if x.is_floating_point()
    )
    assert distance(recorded, plain) <= rounding * largest


def test_a_training_on_text_can_be_recorded(recorder):
    def train(**options):
        training.seed_everything(0)
        model = nn.Sequential(nn.Embedding(10, 8), nn.Linear(8, 10))
        return model, trained(model, text, batch_size=4, lr=0.05, **options)

    found = recorder()
    codes = torch.arange(161) % 7 + torch.arange(161) % 4
    split = Split(codes[:-1].view(20, 8), codes[1:].view(20, 8))
    text = Dataset("text", split, split)
    recorded, history = train()
    plain, expected = train(cuda_graph=False)
    assert found.recordings == 2
    assert distance(recorded, plain) <= 2**-20
    assert history.test_accuracy == expected.test_accuracy


@pytest.mark.parametrize("schedule", ["cosine", rise_and_fall])
def test_an_interrupted_recorded_training_continues_as_if_uninterrupted(
    schedule, digits, recorder, tmp_path
):
    class Interrupted(Exception):
        pass

    def interrupt(model, epoch):
        if epoch == 2:
            raise Interrupted

    recorder()
    whole, parts = small_model(), small_model()
    options = {"epochs": 4, "schedule": schedule}
    expected = trained(whole, digits, **options)
    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(Interrupted):
        trained(parts, digits, checkpoint=checkpoint, before_epoch=interrupt, **options)
    parts = small_model()
    found = trained(parts, digits, checkpoint=checkpoint, **options)
    assert distance(parts, whole) == 0
    assert figures(found) == figures(expected)


def test_a_step_and_the_evaluation_are_recorded_once(digits, recorder):
    found = recorder()
    trained(small_model(), digits, epochs=4)
    assert found.recordings == 2


def test_a_step_that_may_change_is_recorded_again_in_each_epoch(digits, recorder):
    found = recorder()
    trained(small_model(), digits, epochs=4, before_epoch=lambda model, epoch: None)
    assert found.recordings == 4


def test_a_hook_that_changes_between_epochs_has_its_effect(digits, recorder):
    recorder()
    model, zeros = small_model(), []

    def prune_more(model, epoch):
        zeros.append(epoch + 1)

    def hold(model):
        with torch.no_grad():
            model[4].weight[: zeros[-1]] = 0

    trained(model, digits, epochs=3, before_epoch=prune_more, after_step=hold)
    assert (model[4].weight == 0).all(dim=1).sum() == 3


def test_the_program_runs_ahead_of_the_gpu_by_a_bounded_number_of_steps(digits, recorder):
    found = recorder()
    trained(small_model(), digits, batch_size=4)
    assert sum(found.ahead) > 2 * AHEAD
    assert max(found.ahead) == AHEAD


def test_adamw_is_recorded_even_if_its_checkpoint_is_of_plain_steps(
    digits, recorder, tmp_path, monkeypatch
):
    made = []
    optimizer = training._optimizer

    def watched(*arguments, **options):
        made.append(optimizer(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(training, "_optimizer", watched)
    settings = {"optimizer": "adamw", "checkpoint": tmp_path / "run.checkpoint", "epochs": 2}

    def stop(model, epoch):
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(small_model(), digits, cuda_graph=False, before_epoch=stop, **settings)
    recorder()
    trained(small_model(), digits, **settings)
    (plain,), (recorded,) = (optimizer.param_groups for optimizer in made)
    assert not plain["fused"]
    assert not plain["capturable"]
    # Without `capturable`, CUDA refuses to record a step of AdamW.
    assert recorded["fused"]
    assert recorded["capturable"]


@pytest.mark.parametrize("steps", range(1, WARM_UP + 2))
def test_an_epoch_may_be_shorter_than_the_warm_up(steps, digits, recorder):
    recorder()
    recorded, plain = small_model(), small_model()
    size = STEPS * BATCH_SIZE // steps
    history = trained(recorded, digits, batch_size=size, epochs=3)
    expected = trained(plain, digits, batch_size=size, epochs=3, cuda_graph=False)
    assert history.train_loss == pytest.approx(expected.train_loss, rel=1e-5)


@pytest.mark.parametrize("fault", ["waits", "fails"])
def test_steps_that_cannot_be_recorded_are_done_plainly_and_reported_once(
    fault, digits, recorder, capsys
):
    found = recorder(**{fault: True})
    recorded, plain = small_model(), small_model()
    hooks = {"before_epoch": lambda model, epoch: None}
    trained(recorded, digits, epochs=4, **hooks)
    said = capsys.readouterr().out
    trained(plain, digits, epochs=4, cuda_graph=False, **hooks)
    assert distance(recorded, plain) <= 2**-20
    assert said.count("cannot repeat the steps") == 1
    reason = {"waits": "reads numbers back", "fails": "not permitted when stream is capturing."}
    assert reason[fault] in said
    assert found.recordings == (fault == "fails")


def test_evaluation_changes_neither_the_mode_nor_the_parameters_of_a_model(digits):
    model = small_model().train()
    evaluate(model, digits)
    assert model.training
    assert not any(p.is_inference() for p in model.parameters())


# ------------------------------------------------------------------------------------------------
# What would make a GPU and its program wait for each other


class ReadsBack(Exception):
    """The program reads a number from the device, or the number of elements of a result."""


class NothingReadBack(TorchDispatchMode):
    """Refuses the operations for which a GPU's program has to wait."""

    ASKING = (
        "nonzero",
        "masked_select",
        "_local_scalar_dense",
        "is_nonzero",
        "equal",
        "_unique2",
    )

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        indices = args[1] if name in ("index", "index_put", "index_put_") else []
        masks = any(i is not None and i.dtype == torch.bool for i in indices)
        if name in self.ASKING or masks:
            raise ReadsBack(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_layer_and_no_hook_of_the_course_makes_a_gpu_wait(kind, digits, monkeypatch):
    class Watching(AtOnce):
        def record(self, do):
            watch = NothingReadBack()

            def watched():
                with watch:
                    do()

            return watched

    monkeypatch.setattr(training, "_recorder", lambda device: Watching())
    model, hooks = KINDS[kind](digits)
    assert math.isfinite(trained(model, digits, epochs=3, **hooks).train_loss[-1])


@pytest.mark.parametrize(
    "reads",
    [
        lambda w: w.max().item(),
        lambda w: bool(w.max() > 0),
        lambda w: w[w > 0],
        lambda w: w.nonzero(),
        lambda w: w.masked_fill_(w > 9, 0.0) if (w > 9).any() else None,
    ],
)
def test_what_makes_a_gpu_wait_is_found(reads):
    with pytest.raises(ReadsBack), NothingReadBack():
        reads(torch.ones(3))
