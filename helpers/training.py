"""Train and evaluate a network; an interrupted training goes on where it stopped, exactly."""

import math
import random
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import lr_scheduler

from helpers.cuda_graph import Recorder
from helpers.data import Dataset
from helpers.device import default_device, fast_dtype
from helpers.files import replacing
from helpers.progress import bar
from helpers.steps import PlainEpochs, RecordedEpochs, Step, count_right
from helpers.turns import check_time

__all__ = [
    "PRECISIONS",
    "SCHEDULES",
    "History",
    "default_device",
    "evaluate",
    "fit",
    "seed_everything",
]

SCHEDULES = ("cosine", "constant", "multistep")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

# ------------------------------------------------------------------------------------------------
# What a training run leaves behind


@dataclass
class History:
    """What happened in each epoch; every list has one entry per epoch.

    Attributes
    ----------
    train_loss
        Mean loss over the epoch's (augmented) training images.
    train_accuracy
        Share of these images classified right, in [0, 1], while the weights were changing.
    test_accuracy
        Share of the test images classified right after the epoch, in [0, 1].
    learning_rate
        Learning rate of the epoch's first step.
    seconds
        Wall time of the epoch, evaluation included.
    """

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.train_loss)

    def to_dict(self) -> dict[str, list[float]]:
        """Return the lists as plain data, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> "History":
        """Build a history from plain data, which may come from anywhere.

        Raises
        ------
        ValueError
            If `data` is not a dict of exactly the five lists, all as long, of finite numbers,
            with the accuracies in [0, 1].
        """
        names = [entry.name for entry in fields(cls)]
        if not isinstance(data, dict) or set(data) != set(names):
            raise ValueError(f"a history must have exactly the lists {', '.join(names)}")
        lists = {name: _numbers(name, data[name]) for name in names}
        if len({len(numbers) for numbers in lists.values()}) != 1:
            raise ValueError("the lists of a history must all have one entry per epoch")
        for name in ("train_accuracy", "test_accuracy"):
            if not all(0 <= number <= 1 for number in lists[name]):
                raise ValueError(f"{name} must lie between 0 and 1")
        return cls(**lists)


def _numbers(name: str, values: object) -> list[float]:
    if not isinstance(values, list):
        raise ValueError(f"{name} must be a list")
    for value in values:
        # bool is an int in Python, and an int may be too large for a float.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} must hold numbers only")
        if abs(value) > 1e300 or not math.isfinite(value):
            raise ValueError(f"{name} must hold finite numbers only")
    return [float(value) for value in values]


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
    schedule: str = "cosine",
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
) -> History:
    """Train `model` by stochastic gradient descent with Nesterov momentum.

    The model moves to the device of the data set. After every epoch the whole state of the run is
    saved in `checkpoint`; a call with the same model, data and settings goes on from there, and
    ends with the same weights, bit for bit on a CPU, as a run without interruption.

    Parameters
    ----------
    model
        Maps images (N, 3, 32, 32) to scores (N, 10). Parameters with ``requires_grad=False`` stay.
    dataset
        What to train on. Images are augmented as its `pad` and `flip` say.
    epochs
        Passes over the training images.
    lr, momentum, weight_decay
        Of SGD. The weight decay acts on all parameters.
    schedule
        ``"cosine"`` lowers the learning rate to 0 along half a cosine, step by step;
        ``"multistep"`` divides it by 10 at each milestone; ``"constant"`` leaves it.
    milestones
        Epochs at which ``"multistep"`` acts. None: after each quarter of the epochs.
    batch_size
        Images per step; a last smaller batch is left out.
    label_smoothing
        Share of the target probability that is spread over all classes.
    precision
        In what convolutions and matrix products are computed: ``"float32"``, ``"bfloat16"`` or
        ``"float16"`` (with the loss scaled so that small gradients survive). Weights, losses,
        updates and the evaluation are float32 always. ``"auto"`` takes the fastest of the device,
        see `helpers.device.fast_dtype`; a run that goes on elsewhere takes the fastest there.
    seed
        Of the order of the images, their augmentation, and of Python's, numpy's and torch's
        global generators, which layers such as dropout use.
    checkpoint
        File for the state of the run. None saves nothing.
    before_epoch
        Called with the model and the epoch (from 0) before each epoch that is still to do. A run
        that goes on starts with a later epoch: whatever the hook keeps outside the model must not
        depend on having seen the earlier ones.
    after_step
        Called with the model after each step of the optimizer, to set pruned weights back to
        zero, say. Where the steps are recorded, what it has the GPU do is recorded with them: its
        own program then runs in the first steps only, and after each call of `before_epoch`.
    progress
        Whether to show a progress bar.
    cuda_graph
        Whether an NVIDIA GPU records a step as a CUDA graph and repeats it by itself, which for
        these networks is several times faster. Batches and learning rates are the same. Where a
        layer or hook reads numbers back from the GPU, it says so and takes plain steps.

    Returns
    -------
    History
        With one entry per epoch, those before an interruption included.

    Raises
    ------
    ValueError
        If `schedule` or `precision` is unknown, or there are fewer training images than
        `batch_size`.

    References
    ----------
    Micikevicius et al., "Mixed Precision Training", ICLR 2018.
    """
    steps = len(dataset.train) // batch_size
    if steps == 0:
        raise ValueError(
            f"batch_size is {batch_size}, and there are only {len(dataset.train)} training images."
        )
    dtype = _dtype(precision, dataset.device)
    if milestones is None:
        milestones = [epochs / 4, epochs / 2, epochs * 3 / 4]
    recipe = {
        "data": dataset.name,
        "model": repr(model),
        "epochs": epochs,
        "lr": lr,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "schedule": schedule,
        "milestones": list(milestones) if schedule == "multistep" else [],
        "batch_size": batch_size,
        "label_smoothing": label_smoothing,
        "precision": precision,
        "seed": seed,
    }
    recorder = _recorder(dataset.device) if cuda_graph else None
    model.to(dataset.device)
    trained = [p for p in model.parameters() if p.requires_grad]
    scaled = dtype == torch.float16
    optimizer = torch.optim.SGD(
        trained,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        nesterov=momentum > 0,
        # One kernel on a GPU, and the only step that leaves out an overflow without waiting for it.
        fused=scaled or recorder is not None or dataset.device.type == "cuda",
    )
    if scaled:
        # Where the fused step leaves out the very first update, it never sets the momentum, and
        # goes on from whatever the memory held.
        for parameter in trained:
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    # Does nothing unless it is enabled.
    scaler = torch.amp.GradScaler(dataset.device.type, enabled=scaled)
    scheduler = _scheduler(optimizer, schedule, epochs * steps, [m * steps for m in milestones])
    seed_everything(seed)
    generator = torch.Generator().manual_seed(seed)
    history = History()
    run = _Run(recipe, model, optimizer, scheduler, scaler, generator, history)
    if checkpoint is not None and checkpoint.exists():
        run.load(checkpoint)

    step = Step(model, dataset, optimizer, scaler, dtype, label_smoothing, after_step)
    doing: PlainEpochs | RecordedEpochs
    if recorder is None:
        doing = PlainEpochs(step, batch_size)
    else:
        doing = RecordedEpochs(step, batch_size, recorder, changing=before_epoch is not None)
    with (
        bar(
            total=epochs * steps, initial=len(history) * steps, unit="step", disable=not progress
        ) as shown,
        recorder.working() if recorder else nullcontext(),
    ):
        for epoch in range(len(history), epochs):
            check_time()
            shown.set_description(f"epoch {epoch + 1}/{epochs}")
            started = time.perf_counter()
            if before_epoch is not None:
                before_epoch(model, epoch)
            model.train()
            first_lr = scheduler.get_last_lr()[0]
            for done in doing.steps(generator, scheduler):
                shown.update(done)
            loss_sum, right, right_on_test = doing.figures()
            history.train_loss.append(loss_sum / steps)
            history.train_accuracy.append(right / (steps * batch_size))
            history.test_accuracy.append(right_on_test / len(dataset.test))
            history.learning_rate.append(float(first_lr))
            history.seconds.append(time.perf_counter() - started)
            shown.set_postfix(
                loss=f"{history.train_loss[-1]:.3f}", test=f"{history.test_accuracy[-1]:.1%}"
            )
            if checkpoint is not None:
                run.save(checkpoint)
    return history


def _dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the type that `precision` names, for training on `device`."""
    if precision == "auto":
        return fast_dtype(device)
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision is {precision!r}: it must be one of auto, {', '.join(PRECISIONS)}."
        )
    return PRECISIONS[precision]


def _recorder(device: torch.device) -> Recorder | None:
    """Return what records steps on `device`; None where there is nothing that could."""
    return Recorder(device) if device.type == "cuda" else None


def _scheduler(
    optimizer: torch.optim.Optimizer, schedule: str, steps: int, milestones: Sequence[float]
) -> lr_scheduler.LRScheduler:
    """Return torch's scheduler of that name, to be stepped after every batch."""
    if schedule == "cosine":
        return lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    if schedule == "multistep":
        return lr_scheduler.MultiStepLR(optimizer, [round(m) for m in milestones], gamma=0.1)
    if schedule == "constant":
        return lr_scheduler.ConstantLR(optimizer, factor=1.0)
    raise ValueError(f"schedule is {schedule!r}: it must be one of {', '.join(SCHEDULES)}.")


# ------------------------------------------------------------------------------------------------
# Evaluate


def evaluate(model: nn.Module, dataset: Dataset, split: str = "test") -> float:
    """Return the share of images that `model` classifies right.

    Parameters
    ----------
    model
        Maps images (N, 3, 32, 32) to scores (N, 10). It moves to the device of the data set, is
        evaluated in evaluation mode, and is then in the mode it was in.
    dataset
        Holds the images.
    split
        ``"test"`` or ``"train"``.

    Returns
    -------
    float
        Accuracy in [0, 1].
    """
    images = {"test": dataset.test, "train": dataset.train}[split]
    model.to(dataset.device)
    return int(count_right(model, dataset, images)) / len(images)


# ------------------------------------------------------------------------------------------------
# Random numbers


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, numpy and torch (on all devices)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _generator_states(generator: torch.Generator) -> dict[str, Any]:
    """Return the states of `generator` and of the global generators, as plain data and tensors."""
    _, numpy_keys, *numpy_rest = np.random.get_state(legacy=True)
    states: dict[str, Any] = {
        "run": generator.get_state(),
        "python": random.getstate(),
        "numpy": (torch.from_numpy(np.asarray(numpy_keys).astype(np.int64)), *numpy_rest),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        states["mps"] = torch.mps.get_rng_state()
    return states


def _restore_generators(generator: torch.Generator, states: dict[str, Any]) -> None:
    """Undo what has happened to the generators since `_generator_states`."""
    generator.set_state(states["run"])
    random.setstate(states["python"])
    numpy_keys, *numpy_rest = states["numpy"]
    np.random.set_state(("MT19937", numpy_keys.numpy().astype(np.uint32), *numpy_rest))
    torch.set_rng_state(states["torch"])
    # The run may go on where there are other devices; their generators then start from the seed.
    if torch.cuda.is_available() and len(states.get("cuda", [])) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
    if torch.backends.mps.is_available() and "mps" in states:
        torch.mps.set_rng_state(states["mps"])


# ------------------------------------------------------------------------------------------------
# Interrupt and go on


@dataclass
class _Run:
    """Everything that a training run changes, and the recipe that says which run it is."""

    recipe: dict[str, Any]
    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: lr_scheduler.LRScheduler
    scaler: torch.amp.GradScaler
    generator: torch.Generator
    history: History

    def save(self, path: Path) -> None:
        """Save the state after an epoch."""
        state = {
            "recipe": self.recipe,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
            "generators": _generator_states(self.generator),
            "history": self.history.to_dict(),
        }
        with replacing(path) as temporary:
            torch.save(state, temporary)

    def load(self, path: Path) -> None:
        """Go to the saved state, if it is of this run; else say so and stay."""
        try:
            # On the CPU: generator states belong there, and the rest finds its device by itself.
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception:  # torch raises many kinds for a damaged file
            print(f"{path.name} cannot be read: training starts from the beginning.")
            return
        if state.get("recipe") != self.recipe:
            print(
                f"{path.name} is from a training run with other settings: "
                "training starts from the beginning."
            )
            return
        self.model.load_state_dict(state["model"])
        self._load_optimizer(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        if state["scaler"]:  # empty where the loss was not scaled
            self.scaler.load_state_dict(state["scaler"])
        _restore_generators(self.generator, state["generators"])
        for name, numbers in state["history"].items():
            getattr(self.history, name)[:] = numbers
        print(f"Going on after epoch {len(self.history)}, from {path.name}.")

    def _load_optimizer(self, state: dict[str, Any]) -> None:
        # How a step is computed belongs to the device here, not to the one where the run began.
        fused = self.optimizer.defaults["fused"]
        self.optimizer.load_state_dict(state)
        for group in self.optimizer.param_groups:
            group["fused"] = fused
