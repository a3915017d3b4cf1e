"""Train and evaluate a network; an interrupted training resumes exactly where it stopped."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.course_runs import course_runs
from helpers.cuda_graph import Recorder
from helpers.dataset import Dataset
from helpers.device import default_device, fast_dtype
from helpers.history import History
from helpers.live_curve import live_curve
from helpers.profile import profile
from helpers.progress import bar
from helpers.schedules import SCHEDULES, Factor, Schedule
from helpers.steps import EpochRunner, PlainRunner, RecordedRunner, Step, count_right
from helpers.training_state import TrainingState
from helpers.turns import check_time

__all__ = [
    "PRECISIONS",
    "SCHEDULES",
    "History",
    "TrainingInterrupted",
    "default_device",
    "evaluate",
    "fit",
    "seed_everything",
]

SQUARES = 0.99
"""Decay of the mean square of the gradients in AdamW: shorter than usual, as the trainings are."""

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class TrainingInterrupted(KeyboardInterrupt):
    """Somebody has stopped the training; the message says where, and how it goes on.

    As any error, it keeps a notebook from running the cells that wait, but it is shown in one
    sentence: where the code was at that moment is of no interest.
    """

    def _render_traceback_(self) -> list[str]:
        # IPython calls this in place of formatting the traceback.
        return [str(self)]


# ------------------------------------------------------------------------------------------------
# Train


def fit(
    model: nn.Module,
    dataset: Dataset,
    *,
    epochs: int,
    lr: float = 0.1,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    schedule: str | Factor = "cosine",
    milestones: Sequence[float] | None = None,
    batch_size: int = 128,
    label_smoothing: float = 0.0,
    precision: str = "auto",
    seed: int = 0,
    checkpoint: Path | None = None,
    before_epoch: Callable[[nn.Module, int], None] | None = None,
    after_step: Callable[[nn.Module], None] | None = None,
    progress: bool = True,
    cuda_graph: bool = True,
    step_losses: bool = False,
    optimizer: str = "sgd",
) -> History:
    """Train `model`, by default by stochastic gradient descent with Nesterov momentum.

    The model is moved to the device of the data set. If `checkpoint` is given, the whole state of
    the training is saved there after every epoch. A call with the same model, data and settings
    then resumes from that state, and ends with the same weights as an uninterrupted training (bit
    for bit on a CPU).

    A notebook shows the loss and the accuracies while they come. If the checkpoint has the name of
    an artifact that the course has trained as well, it also shows how those trainings ended.

    Parameters
    ----------
    model
        A network that maps inputs, such as images (N, 3, 32, 32), to scores (N, classes), or to
        scores (N, T, classes) if the data set has T targets for each example. Parameters with
        ``requires_grad=False`` are not changed.
    dataset
        The data set to train on. It draws the batches and determines how examples vary at random.
    epochs
        Number of passes over the training examples.
    lr, momentum, weight_decay
        Parameters of the optimizer. The weight decay acts on all parameters of the model that are
        trained.
    schedule
        ``"cosine"`` lowers the learning rate to 0 along half a cosine, step by step;
        ``"multistep"`` divides it by 10 at each milestone; ``"constant"`` leaves it unchanged.
        Alternatively, a function of the step, counted from 0 over all epochs, that returns the
        factor by which `lr` is multiplied at that step. The function is called for all steps before
        the training starts. Only these factors decide whether a checkpoint belongs to this
        training: the function may be renamed or rewritten in between.
    milestones
        Epochs at which ``"multistep"`` lowers the learning rate. By default, after each quarter of
        the epochs.
    batch_size
        Examples per step. A smaller last batch is left out.
    label_smoothing
        Fraction of the target probability that is spread evenly over all classes.
    precision
        Floating-point type in which convolutions and matrix products are computed: ``"float32"``,
        ``"bfloat16"`` or ``"float16"`` (with the loss scaled so that small gradients do not become
        zero). Weights, losses, updates and the evaluation are always float32. ``"auto"`` selects
        the fastest type of the device (see `helpers.device.fast_dtype`); a training that is resumed
        on another device uses the fastest type there.
    seed
        Seed for the order of the examples, their augmentation, and the global generators of Python,
        NumPy and PyTorch, which layers such as dropout use.
    checkpoint
        File for the state of the training. By default, nothing is saved.
    before_epoch
        Function that is called with the model and the epoch (counted from 0) before each epoch that
        remains to be done. A resumed training starts with a later epoch. Anything that the function
        keeps outside the model must therefore not depend on having seen the earlier epochs.
    after_step
        Function that is called with the model after each step of the optimizer, for example to set
        pruned weights back to zero. If the steps are recorded, the GPU work of the function is
        recorded with them. Its Python code then runs only in the first steps, and in the first
        steps of each epoch if `before_epoch` is given.
    progress
        Whether to show a progress bar and, in a notebook, the curves of the training.
    cuda_graph
        Whether an NVIDIA GPU records a step as a CUDA graph and then repeats it by itself, which is
        several times faster for the networks of this course. Batches and learning rates are the
        same in both cases. If a layer or hook reads numbers back from the GPU, a message says so
        and the steps are not recorded.
    step_losses
        Whether the history also holds the loss of every step.
    optimizer
        ``"sgd"``, or ``"adamw"``, in which the mean of the gradients decays by `momentum` and that
        of their squares by 0.99, and which subtracts the weight decay from the weights directly.

    Returns
    -------
    History
        The history, with one entry per epoch, including epochs before an interruption.

    Raises
    ------
    ValueError
        If `schedule`, `precision` or `optimizer` is unknown, if a factor that `schedule` returns is
        negative or not a finite number, or if there are fewer training examples than `batch_size`.
    TrainingInterrupted
        If the kernel is interrupted, or Ctrl-C is pressed, during the training.

    References
    ----------
    Micikevicius et al., "Mixed Precision Training", ICLR 2018.
    Loshchilov, Hutter, "Decoupled Weight Decay Regularization", ICLR 2019: AdamW.
    """
    steps = _steps_per_epoch(dataset, batch_size)
    dtype = _dtype(precision, dataset.device)
    planned = Schedule(schedule, milestones, epochs, steps)
    recipe = {
        "data": dataset.name,
        "model": repr(model),
        "epochs": epochs,
        "lr": lr,
        "momentum": momentum,
        "weight_decay": weight_decay,
        **planned.recipe,
        "batch_size": batch_size,
        "label_smoothing": label_smoothing,
        "precision": precision,
        "seed": seed,
    }
    if optimizer != "sgd":
        recipe["optimizer"] = optimizer
    if step_losses:
        recipe["step_losses"] = True  # a checkpoint without them cannot be continued with them
    recorder = _recorder(dataset.device) if cuda_graph else None
    model.to(dataset.device)
    fused = recorder is not None or dataset.device.type == "cuda"
    scaled = dtype == torch.float16
    updates = _optimizer(optimizer, model, lr, momentum, weight_decay, fused=fused, scaled=scaled)
    # The scaler does nothing unless it is enabled.
    scaler = torch.amp.GradScaler(dataset.device.type, enabled=scaled)
    scheduler = planned.scheduler(updates)
    seed_everything(seed)
    generator = torch.Generator().manual_seed(seed)
    history = History()
    state = TrainingState(recipe, model, updates, scheduler, scaler, generator, history)
    if checkpoint is not None and checkpoint.exists():
        state.load(checkpoint)

    step = Step(
        model,
        dataset,
        updates,
        scaler,
        dtype,
        label_smoothing,
        after_step,
        recorded_steps=steps if step_losses else 0,
    )
    runner: EpochRunner = PlainRunner(step, batch_size)
    if recorder is not None:
        runner = RecordedRunner(step, batch_size, recorder, changing=before_epoch is not None)
    todo = {"total": epochs * steps, "initial": len(history) * steps}
    course = None if checkpoint is None else course_runs(profile(), checkpoint.stem)
    with (
        _explained_interruption(state, epochs),
        live_curve(history, epochs, course, disable=not progress) as curve,
        bar(**todo, unit="step", disable=not progress) as shown,
        recorder.working() if recorder else nullcontext(),
    ):
        for epoch in range(len(history), epochs):
            check_time()
            shown.set_description(f"epoch {epoch + 1}/{epochs}")
            _train_epoch(state, runner, before_epoch, shown.update)
            shown.set_postfix(
                loss=f"{history.train_loss[-1]:.3f}", test=f"{history.test_accuracy[-1]:.1%}"
            )
            if checkpoint is not None:
                state.save(checkpoint)
            if curve is not None:
                curve.update()
    return history


@contextmanager
def _explained_interruption(state: TrainingState, epochs: int) -> Iterator[None]:
    """Turn an interruption of the block into one that says after which epoch it came."""
    try:
        yield
    except KeyboardInterrupt:
        done = state.saved or len(state.history)
        where = f"after epoch {done} of {epochs}" if done else f"in the first of {epochs} epochs"
        then = "goes on from there" if state.saved else "starts from the beginning"
        message = f"The training was interrupted {where}. Run this cell again, and it {then}."
        raise TrainingInterrupted(message) from None


def _train_epoch(
    state: TrainingState,
    runner: EpochRunner,
    before_epoch: Callable[[nn.Module, int], None] | None,
    show: Callable[[int], object],
) -> None:
    """Train for the next epoch, evaluate the model, and append the figures to the history.

    Parameters
    ----------
    state
        The state of the training, which the epoch changes.
    runner
        Executes the steps of the epoch.
    before_epoch
        As for `fit`.
    show
        Function that is called with the number of steps done since its last call.
    """
    started = time.perf_counter()
    history = state.history
    if before_epoch is not None:
        before_epoch(state.model, len(history))
    state.model.train()
    first_lr = float(state.scheduler.get_last_lr()[0])
    for done in runner.steps(state.generator, state.scheduler):
        show(done)
    train_loss, train_accuracy, test_accuracy = runner.figures()
    history.train_loss.append(train_loss)
    if len(runner.step.losses):
        history.step_loss += runner.step.losses.tolist()
    history.train_accuracy.append(train_accuracy)
    history.test_accuracy.append(test_accuracy)
    history.learning_rate.append(first_lr)
    history.seconds.append(time.perf_counter() - started)


def _steps_per_epoch(dataset: Dataset, batch_size: int) -> int:
    """Return the number of whole batches of training examples; it is at least one."""
    examples = len(dataset.train)
    if examples < batch_size:
        raise ValueError(
            f"batch_size is {batch_size}, but there are only {examples} training examples."
        )
    return examples // batch_size


def _optimizer(
    name: str,
    model: nn.Module,
    lr: float,
    momentum: float,
    weight_decay: float,
    *,
    fused: bool,
    scaled: bool,
) -> torch.optim.Optimizer:
    """Return an optimizer for the parameters that require a gradient.

    Parameters
    ----------
    name
        As `optimizer` of `fit`.
    model, lr, momentum, weight_decay
        As for `fit`.
    fused
        Whether an update is a single kernel.
    scaled
        Whether the loss is scaled. The update is then a single kernel in any case, because no other
        implementation can skip an update after an overflow without waiting for the device.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    if name == "adamw":
        return torch.optim.AdamW(
            trained,
            lr=lr,
            betas=(momentum, SQUARES),
            weight_decay=weight_decay,
            fused=fused or scaled,
            capturable=fused or scaled,  # so that the steps of a GPU can be recorded
        )
    if name != "sgd":
        raise ValueError(f"optimizer is {name!r}: it must be 'sgd' or 'adamw'.")
    optimizer = torch.optim.SGD(
        trained,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        nesterov=momentum > 0,
        fused=fused or scaled,
    )
    if scaled:
        # If the fused implementation skips the very first update, it never sets the momentum and
        # continues with whatever the memory held. Hence the buffers are created here.
        for parameter in trained:
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


def _dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the floating-point type that `precision` means on `device`."""
    if precision == "auto":
        return fast_dtype(device)
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision is {precision!r}: it must be one of auto, {', '.join(PRECISIONS)}."
        )
    return PRECISIONS[precision]


def _recorder(device: torch.device) -> Recorder | None:
    """Return a recorder for steps on `device`, or None if the device cannot record."""
    return Recorder(device) if device.type == "cuda" else None


# ------------------------------------------------------------------------------------------------
# Evaluate


def evaluate(model: nn.Module, dataset: Dataset, split: str = "test") -> float:
    """Return the fraction of right predictions, such as of images that are classified correctly.

    Parameters
    ----------
    model
        A network that maps inputs to scores, as for `fit`. It is moved to the device of the data
        set, evaluated in evaluation mode, and afterwards put back into its previous mode.
    dataset
        The data set with the examples.
    split
        ``"test"`` or ``"train"``.

    Returns
    -------
    float
        Accuracy in [0, 1].
    """
    model.to(dataset.device)
    right = int(count_right(model, dataset, split))
    return right / dataset.split(split).targets.numel()


# ------------------------------------------------------------------------------------------------
# Random numbers


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, NumPy and PyTorch (on all devices)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
