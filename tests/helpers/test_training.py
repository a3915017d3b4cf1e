"""Training learns, continues after an interruption as if there had been none, and calls hooks."""

import itertools
import math
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from helpers.data import ImageDataset, Split
from helpers.training import (
    PRECISIONS,
    History,
    TrainingInterrupted,
    evaluate,
    fit,
    seed_everything,
)


def tiny_dataset(count=64, flip=True):
    """Return images of two classes: dark and bright."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 2
    noise = torch.randint(0, 100, (count, 3, 32, 32), generator=generator)
    images = (noise + 155 * labels[:, None, None, None]).to(torch.uint8)
    split = Split(images, labels)
    return ImageDataset(
        "tiny", split, split, torch.full((3,), 0.5), torch.full((3,), 0.3), flip=flip, pad=2
    )


def tiny_model(dropout=0.0):
    seed_everything(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=4),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Flatten(),
        nn.Linear(4 * 8 * 8, 10),
    )


def train(model, **options):
    settings = {"epochs": 4, "batch_size": 16, "lr": 0.05, "progress": False}
    return fit(model, tiny_dataset(), **(settings | options))


class Interrupted(Exception):
    """The connection is lost."""


def interrupt_at(stop):
    def before_epoch(model, epoch):
        if epoch == stop:
            raise Interrupted

    return before_epoch


def same_weights(one, other):
    return all(
        torch.equal(a, b)
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


# ------------------------------------------------------------------------------------------------
# Learning


def test_training_learns_and_its_history_shows_this():
    model = tiny_model()
    history = train(model)
    assert history.train_loss[-1] < history.train_loss[0]
    assert history.test_accuracy[-1] == evaluate(model, tiny_dataset()) == 1.0
    assert len(history) == 4
    assert all(len(numbers) == 4 for numbers in history.to_dict().values())


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, second, third = tiny_model(0.5), tiny_model(0.5), tiny_model(0.5)
    train(first, seed=1)
    train(second, seed=1)
    train(third, seed=2)
    assert same_weights(first, second)
    assert not same_weights(first, third)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1]),
        ("multistep", [1, 0.1, 0.01, 0.001]),
        ("cosine", [(1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)]),
    ],
)
def test_each_schedule_lowers_the_learning_rate_in_its_way(schedule, expected):
    rates = train(tiny_model(), schedule=schedule).learning_rate
    assert rates == pytest.approx([0.05 * factor for factor in expected])


def test_milestones_can_be_chosen():
    rates = train(tiny_model(), schedule="multistep", milestones=[3]).learning_rate
    assert rates == pytest.approx([0.05, 0.05, 0.05, 0.005])


def warm_up(step):
    """Rise for six steps, then fall."""
    return (step + 1) / 6 if step < 6 else 1 / (step - 4)


def test_a_schedule_may_be_a_function_of_the_step():
    rates = train(tiny_model(), schedule=warm_up).learning_rate
    assert rates == [0.05 * warm_up(step) for step in (0, 4, 8, 12)]


def test_a_function_trains_as_torchs_lambda_scheduler_does():
    model, expected, dataset = tiny_model(), tiny_model(), tiny_dataset()
    train(model, precision="float32", schedule=warm_up, epochs=3)

    optimizer = torch.optim.SGD(
        expected.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_up)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        for images, labels in dataset.training_batches(16, generator):
            optimizer.zero_grad()
            F.cross_entropy(expected(dataset.network_inputs(images)), labels).backward()
            optimizer.step()
            scheduler.step()
    assert same_weights(model, expected)


def test_label_smoothing_keeps_the_loss_up():
    plain, smooth = train(tiny_model()), train(tiny_model(), label_smoothing=0.5)
    assert smooth.train_loss[-1] > plain.train_loss[-1] + 0.5


def test_parameters_without_gradient_do_not_change():
    model = tiny_model()
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    train(model, epochs=1)
    assert torch.equal(model[0].weight, before)


def test_an_unknown_schedule_is_refused_with_a_message():
    with pytest.raises(ValueError, match="'linear': it must be one of cosine, constant, multistep"):
        train(tiny_model(), schedule="linear")


def test_a_batch_larger_than_the_data_is_refused_with_a_message():
    with pytest.raises(ValueError, match="only 64 training examples"):
        train(tiny_model(), batch_size=65)


# ------------------------------------------------------------------------------------------------
# Precision

LOW_PRECISIONS = ["bfloat16", "float16"]


def spoil_gradient(model, step):
    """Make one gradient of one step infinite, as a scaled loss does when the scale is too large."""
    steps = itertools.count()
    model[5].weight.register_hook(lambda grad: grad * math.inf if next(steps) == step else grad)


def test_an_unknown_precision_is_refused_with_a_message():
    words = "'half': it must be one of auto, float32, bfloat16, float16"
    with pytest.raises(ValueError, match=words):
        train(tiny_model(), precision="half")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_auto_is_the_type_in_which_the_device_is_fast(monkeypatch, precision):
    monkeypatch.setattr("helpers.training.fast_dtype", lambda device: PRECISIONS[precision])
    chosen, named = tiny_model(), tiny_model()
    train(chosen, precision="auto", epochs=2)
    train(named, precision=precision, epochs=2)
    assert same_weights(chosen, named)


def test_auto_is_float32_on_a_processor_without_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    chosen, named = tiny_model(), tiny_model()
    train(chosen, precision="auto", epochs=1)
    train(named, precision="float32", epochs=1)
    assert same_weights(chosen, named)


def test_float32_is_plain_gradient_descent_bit_for_bit():
    # The frozen references come from this loop.
    model, expected, dataset = tiny_model(0.5), tiny_model(0.5), tiny_dataset()
    train(model, precision="float32", schedule="constant", epochs=2, seed=3)

    optimizer = torch.optim.SGD(
        expected.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    seed_everything(3)
    generator = torch.Generator().manual_seed(3)
    for _ in range(2):
        for images, labels in dataset.training_batches(16, generator):
            optimizer.zero_grad()
            F.cross_entropy(expected(dataset.network_inputs(images)), labels).backward()
            optimizer.step()
    assert same_weights(model, expected)


@pytest.mark.parametrize("precision", LOW_PRECISIONS)
def test_low_precision_learns_as_well_as_float32(precision):
    # A mean loss of -log(0.99) means 99 % for the right class; without training it is 10 %.
    for history in (train(tiny_model(), precision=p) for p in ("float32", precision)):
        assert history.test_accuracy[-1] == 1.0
        assert history.train_loss[-1] < -math.log(0.99)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_layers_compute_in_the_precision_in_training_and_in_float32_in_evaluation(precision):
    model, found = tiny_model(), set()
    model[0].register_forward_hook(lambda layer, x, y: found.add((layer.training, y.dtype)))
    train(model, precision=precision, epochs=1)
    assert found == {(True, PRECISIONS[precision]), (False, torch.float32)}


@pytest.mark.parametrize("precision", LOW_PRECISIONS)
def test_weights_stay_float32(precision):
    model = tiny_model()
    dtypes = set()
    train(
        model,
        precision=precision,
        epochs=1,
        after_step=lambda model: dtypes.update(p.dtype for p in model.parameters()),
    )
    assert dtypes == {torch.float32}


@pytest.mark.parametrize("step", [0, 6])
def test_an_overflow_in_float16_leaves_out_the_update(step):
    model = tiny_model()
    spoil_gradient(model, step)
    weights = [model[5].weight.detach().clone()]
    history = train(
        model,
        precision="float16",
        after_step=lambda model: weights.append(model[5].weight.detach().clone()),
    )
    assert torch.equal(weights[step], weights[step + 1])
    assert history.test_accuracy[-1] == 1.0


def test_an_overflow_in_the_first_step_leaves_no_trace_in_the_momentum(monkeypatch):
    # torch's fused step would continue from uninitialised memory.
    monkeypatch.setattr(torch, "empty_like", lambda x: torch.full_like(x, math.nan))
    model = tiny_model()
    spoil_gradient(model, 0)
    train(model, precision="float16", epochs=1)
    assert all(p.isfinite().all() for p in model.parameters())


# ------------------------------------------------------------------------------------------------
# Interruptions


@pytest.mark.parametrize("stop", [1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {"schedule": "cosine"},
        {"schedule": "multistep"},
        {"schedule": warm_up},
        {"precision": "bfloat16"},
        {"precision": "float16"},
    ],
    ids=lambda options: "-".join(getattr(value, "__name__", value) for value in options.values()),
)
def test_an_interrupted_training_equals_an_uninterrupted_one_bit_for_bit(tmp_path, stop, options):
    whole, parts = tiny_model(dropout=0.5), tiny_model(dropout=0.5)
    expected = train(whole, **options)
    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(Interrupted):
        train(parts, checkpoint=checkpoint, before_epoch=interrupt_at(stop), **options)
    seed_everything(99)  # another session has other random numbers
    parts = tiny_model(dropout=0.5)
    found = train(parts, checkpoint=checkpoint, **options)
    assert same_weights(parts, whole)
    for name in ("train_loss", "train_accuracy", "test_accuracy", "learning_rate"):
        assert getattr(found, name) == getattr(expected, name)


def test_the_scale_of_a_float16_loss_is_kept_in_the_checkpoint(tmp_path):
    def scale(file):
        return torch.load(file, weights_only=True)["scaler"]

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    model, interrupted = tiny_model(), tiny_model()
    spoil_gradient(model, 0)  # which halves the scale
    spoil_gradient(interrupted, 0)
    train(model, precision="float16", checkpoint=whole)
    with pytest.raises(Interrupted):
        train(interrupted, precision="float16", checkpoint=parts, before_epoch=interrupt_at(1))
    train(tiny_model(), precision="float16", checkpoint=parts)
    assert scale(parts) == scale(whole)


def stop_at(stop):
    """Press the notebook's stop button in the middle of an epoch."""
    steps = itertools.count(1)

    def after_step(model):
        if next(steps) == stop:
            raise KeyboardInterrupt

    return after_step


@pytest.mark.parametrize(
    ("stop", "saved", "words"),
    [
        (2, True, "in the first of 4 epochs. Run this cell again, and it starts from"),
        (10, True, "after epoch 2 of 4. Run this cell again, and it goes on from there."),
        (10, False, "after epoch 2 of 4. Run this cell again, and it starts from the beginning."),
    ],
)
def test_an_interruption_says_after_which_epoch_and_how_it_goes_on(tmp_path, stop, saved, words):
    checkpoint = tmp_path / "run.checkpoint" if saved else None
    with pytest.raises(TrainingInterrupted, match=f"The training was interrupted {words}"):
        train(tiny_model(), checkpoint=checkpoint, after_step=stop_at(stop))


def test_a_training_that_is_interrupted_twice_goes_on_after_the_last_saved_epoch(tmp_path):
    checkpoint = tmp_path / "run.checkpoint"
    for stop in (10, 1):
        with pytest.raises(TrainingInterrupted, match="after epoch 2 of 4"):
            train(tiny_model(), checkpoint=checkpoint, after_step=stop_at(stop))


def test_a_notebook_shows_an_interruption_in_one_sentence_and_runs_no_later_cell():
    interactiveshell = pytest.importorskip("IPython.core.interactiveshell")
    shell = interactiveshell.InteractiveShell(colors="nocolor")
    shell.user_ns |= {"train": train, "tiny_model": tiny_model, "stop": stop_at(6)}
    shown = []
    shell._showtraceback = lambda kind, error, lines: shown.extend(lines)
    cell = "model = tiny_model()\nhistory = train(model, after_step=stop)\nfinished = True"
    result = shell.run_cell(cell)
    # A notebook runs no cell that waits if one has not succeeded.
    assert not result.success
    assert "finished" not in shell.user_ns
    assert len(shown) == 1
    assert shown[0].startswith("The training was interrupted after epoch 1 of 4. Run this cell")


def test_only_the_epochs_that_are_left_are_trained(tmp_path):
    checkpoint = tmp_path / "run.checkpoint"
    with pytest.raises(Interrupted):
        train(tiny_model(), checkpoint=checkpoint, before_epoch=interrupt_at(3))
    epochs = []
    train(
        tiny_model(),
        checkpoint=checkpoint,
        before_epoch=lambda model, epoch: epochs.append(epoch),
    )
    assert epochs == [3]


@pytest.mark.parametrize(
    ("here", "there"), [("float32", "float16"), ("float16", "float32"), ("float32", "bfloat16")]
)
def test_a_run_continues_where_another_precision_is_fast(tmp_path, monkeypatch, here, there):
    def fast(precision):
        monkeypatch.setattr("helpers.training.fast_dtype", lambda device: PRECISIONS[precision])

    checkpoint = tmp_path / "run.checkpoint"
    fast(here)
    with pytest.raises(Interrupted):
        train(tiny_model(), checkpoint=checkpoint, before_epoch=interrupt_at(2))
    fast(there)
    epochs = []
    history = train(
        tiny_model(),
        checkpoint=checkpoint,
        before_epoch=lambda model, epoch: epochs.append(epoch),
    )
    assert epochs == [2, 3]
    assert history.test_accuracy[-1] == 1.0


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 0.06},
        {"epochs": 5},
        {"weight_decay": 0.0},
        {"seed": 5},
        {"precision": "float16"},
        {"schedule": lambda step: 0.5},
    ],
)
def test_another_recipe_starts_from_the_beginning_and_says_so(tmp_path, capsys, change):
    checkpoint = tmp_path / "run.checkpoint"
    train(tiny_model(), checkpoint=checkpoint)
    resumed, fresh = tiny_model(), tiny_model()
    train(resumed, checkpoint=checkpoint, **change)
    train(fresh, **change)
    assert same_weights(resumed, fresh)
    assert "other settings, so training starts from the beginning" in capsys.readouterr().out


def test_a_function_with_another_factor_in_one_step_starts_from_the_beginning(tmp_path, capsys):
    checkpoint = tmp_path / "run.checkpoint"
    train(tiny_model(), checkpoint=checkpoint, schedule=warm_up)
    other = lambda step: warm_up(step) if step != 15 else 0.0  # noqa: E731
    train(tiny_model(), checkpoint=checkpoint, schedule=other)
    assert "other settings, so training starts from the beginning" in capsys.readouterr().out


def test_another_function_with_the_same_factors_continues(tmp_path, capsys):
    checkpoint = tmp_path / "run.checkpoint"
    train(tiny_model(), checkpoint=checkpoint, schedule=warm_up)
    factors = [warm_up(step) for step in range(16)]
    train(tiny_model(), checkpoint=checkpoint, schedule=factors.__getitem__)
    assert "Continuing after epoch 4" in capsys.readouterr().out


def test_another_network_starts_from_the_beginning(tmp_path, capsys):
    checkpoint = tmp_path / "run.checkpoint"
    train(tiny_model(), checkpoint=checkpoint)
    train(tiny_model(dropout=0.25), checkpoint=checkpoint)
    assert "training starts from the beginning" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"half a file", b"PK\x03\x04 torn"])
def test_a_damaged_checkpoint_starts_from_the_beginning(tmp_path, capsys, content):
    checkpoint = tmp_path / "run.checkpoint"
    checkpoint.write_bytes(content)
    assert len(train(tiny_model(), checkpoint=checkpoint)) == 4
    assert "cannot be read" in capsys.readouterr().out


def test_a_checkpoint_leaves_no_other_files(tmp_path):
    train(tiny_model(), checkpoint=tmp_path / "new folder" / "run.checkpoint")
    assert [path.name for path in tmp_path.rglob("*.*")] == ["run.checkpoint"]


# ------------------------------------------------------------------------------------------------
# Hooks


def test_the_losses_of_the_steps_are_recorded_on_request(tmp_path):
    plain, recorded = train(tiny_model()), train(tiny_model(), step_losses=True)
    assert plain.step_loss == []
    assert recorded.train_loss == plain.train_loss
    losses = np.array(recorded.step_loss).reshape(4, 4)  # 64 images in batches of 16
    np.testing.assert_allclose(losses.mean(axis=1), recorded.train_loss, rtol=1e-6)
    with pytest.raises(Interrupted):
        train(
            tiny_model(), step_losses=True, checkpoint=tmp_path / "c", before_epoch=interrupt_at(2)
        )
    resumed = train(tiny_model(), step_losses=True, checkpoint=tmp_path / "c")
    assert resumed.step_loss == recorded.step_loss


def test_hooks_are_called_before_each_epoch_and_after_each_step():
    calls = []
    train(
        tiny_model(),
        epochs=2,
        before_epoch=lambda model, epoch: calls.append(epoch),
        after_step=lambda model: calls.append("step"),
    )
    assert calls == [0, *["step"] * 4, 1, *["step"] * 4]


def test_the_weights_are_evaluated_as_after_step_leaves_them():
    model = tiny_model()

    def prune(model):
        with torch.no_grad():
            model[5].weight[:, ::2] = 0

    train(model, after_step=prune)
    assert not model[5].weight[:, ::2].any()


# ------------------------------------------------------------------------------------------------
# Evaluation, seeds, history


class Constant(nn.Module):
    """Always predicts class 1."""

    def __init__(self):
        super().__init__()
        self.scores = nn.Parameter(torch.eye(10)[1])

    def forward(self, x):
        assert not self.training
        return self.scores.expand(len(x), 10)


def test_evaluate_counts_the_right_answers_in_evaluation_mode_and_restores_the_mode():
    model = Constant().train()
    assert evaluate(model, tiny_dataset()) == 0.5
    assert model.training


def test_evaluate_knows_both_splits():
    bright = tiny_dataset()
    keep = bright.train.labels == 1
    train_only = Split(bright.train.images[keep], bright.train.labels[keep])
    dataset = ImageDataset("tiny", train_only, bright.test, bright.mean, bright.std, False, 0)
    assert evaluate(Constant(), dataset, "train") == 1.0
    assert evaluate(Constant(), dataset, "test") == 0.5


def test_a_seed_reaches_python_numpy_and_torch():
    def draw():
        seed_everything(7)
        return random.random(), np.random.rand(), torch.rand(1).item()

    assert draw() == draw()


numbers = st.floats(0, 1)


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, numbers, numbers, numbers, numbers)))
def test_a_history_survives_conversion_to_plain_data(epochs):
    columns = [list(column) for column in zip(*epochs, strict=True)] or [[]] * 5
    history = History(*columns)
    assert History.from_dict(history.to_dict()) == history


def test_a_history_with_the_losses_of_its_steps_survives_as_well():
    history = History([1.0, 0.5], [0.5, 1.0], [0.5, 1.0], [0.1, 0.1], [2.0, 2.0], [1.5, 0.5] * 2)
    assert History.from_dict(history.to_dict()) == history


GOOD = History([1.0], [0.5], [0.5], [0.1], [2.0]).to_dict()
GOOD_2 = History([1.0] * 2, [0.5] * 2, [0.5] * 2, [0.1] * 2, [2.0] * 2).to_dict()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "exactly the lists"),
        ({}, "exactly the lists"),
        (GOOD | {"more": [1.0]}, "exactly the lists"),
        (GOOD | {"train_loss": 1.0}, "train_loss must be a list"),
        (GOOD | {"train_loss": ["low"]}, "numbers only"),
        (GOOD | {"train_loss": [True]}, "numbers only"),
        (GOOD | {"train_loss": [math.nan]}, "finite"),
        (GOOD | {"train_loss": [10**400]}, "finite"),
        (GOOD | {"train_loss": [1.0, 1.0]}, "one entry per epoch"),
        (GOOD | {"test_accuracy": [1.01]}, "test_accuracy must lie between 0 and 1"),
        (GOOD | {"step_loss": [math.inf]}, "finite"),
        (GOOD_2 | {"step_loss": [1.0] * 3}, "as many entries for every epoch"),
    ],
)
def test_a_malformed_history_is_refused_with_a_message(data, words):
    with pytest.raises(ValueError, match=words):
        History.from_dict(data)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_training_runs_on_a_gpu(tmp_path):
    model = tiny_model()
    settings = {"epochs": 2, "batch_size": 16, "progress": False}
    history = fit(model, tiny_dataset().to("cuda"), checkpoint=tmp_path / "run", **settings)
    assert next(model.parameters()).is_cuda
    assert len(history) == 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_gpu_and_its_program_do_not_wait_for_each_other_within_an_epoch(precision):
    steps = itertools.count(1)

    def watch(model, epoch):
        torch.cuda.set_sync_debug_mode("error")

    def stop_watching_at_the_end(model):
        if next(steps) % 4 == 0:
            torch.cuda.set_sync_debug_mode("default")

    try:
        fit(
            tiny_model(dropout=0.5),
            tiny_dataset().to("cuda"),
            epochs=2,
            batch_size=16,
            precision=precision,
            before_epoch=watch,
            after_step=stop_watching_at_the_end,
            progress=False,
            cuda_graph=False,  # with it, see test_cuda_graph.py
        )
    finally:
        torch.cuda.set_sync_debug_mode("default")
