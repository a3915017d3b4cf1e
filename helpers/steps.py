"""The steps of an epoch of training, executed one by one or recorded and replayed by a GPU."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import lr_scheduler

from helpers.cuda_graph import Recorder
from helpers.dataset import Dataset

Do = Callable[[], None]

WARM_UP = 3
"""Steps before a recording, in which libraries choose their kernels and allocate memory."""
AHEAD = 24
"""Steps that the program launches between two calls of `Recorder.pace`: some 50 ms of work."""

# ------------------------------------------------------------------------------------------------
# One step, and the answers after it


class Step:
    """One step of gradient descent, and the sums from which the figures of an epoch are computed.

    The sums stay on the device, because reading a number would make the program wait for the GPU.

    Attributes
    ----------
    loss_sum
        (): sum of the mean losses of the steps.
    right
        (), int64: number of right predictions for the training examples of the steps.
    losses
        (`recorded_steps`,): the mean loss of each step of the epoch, for as many steps as are
        recorded.
    """

    def __init__(
        self,
        model: nn.Module,
        dataset: Dataset,
        optimizer: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        dtype: torch.dtype,
        label_smoothing: float,
        after_step: Callable[[nn.Module], None] | None,
        recorded_steps: int = 0,
    ) -> None:
        self.model = model
        self.dataset = dataset
        self.optimizer = optimizer
        self.scaler = scaler
        self.dtype = dtype
        self.label_smoothing = label_smoothing
        self.after_step = after_step
        self.loss_sum = torch.zeros((), device=dataset.device)
        self.right = torch.zeros((), dtype=torch.int64, device=dataset.device)
        self.losses = torch.zeros(recorded_steps, device=dataset.device)
        # On the device, because a recorded step has to find its own place in `losses`.
        self._position = torch.zeros(1, dtype=torch.int64, device=dataset.device)

    def begin_epoch(self) -> None:
        """Reset the sums to zero."""
        self.loss_sum.zero_()
        self.right.zero_()
        self._position.zero_()

    def __call__(self, inputs: Tensor, targets: Tensor) -> None:
        """Take a step on stored inputs (N, ...) and their targets (N, ...)."""
        with _computing_in(self.dtype, self.dataset.device):
            scores = self.model(self.dataset.network_inputs(inputs)).float()
        # One row of scores for each prediction.
        rows, right = scores.flatten(0, -2), targets.flatten()
        loss = F.cross_entropy(rows, right, label_smoothing=self.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.after_step is not None:
            self.after_step(self.model)
        self.loss_sum += loss.detach()
        if len(self.losses):
            self.losses.index_copy_(0, self._position, loss.detach().view(1))
            self._position += 1
        self.right += (rows.argmax(1) == right).sum()


def _computing_in(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[Any]:
    """Compute convolutions and matrix products in `dtype` while the context lasts."""
    # Some devices have no autocast, not even a disabled one: MPS had none before torch 2.5.
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


@torch.inference_mode()
def count_right(model: nn.Module, dataset: Dataset, split: str) -> Tensor:
    """Return the number of right predictions of `model` for a split, as a tensor on the device.

    The model is evaluated in evaluation mode and afterwards put back into its previous mode.
    """
    # A GPU needs large batches; a CPU is a fifth faster when the activations fit in its cache.
    batch_size = 128 if dataset.device.type == "cpu" else 1000
    was_training = model.training
    model.eval()
    try:
        right = torch.zeros((), dtype=torch.int64, device=dataset.device)
        for inputs, targets in dataset.batches(split, batch_size):
            right += (model(inputs).argmax(-1) == targets).sum()
    finally:
        model.train(was_training)
    return right


# ------------------------------------------------------------------------------------------------
# One epoch


class EpochRunner(ABC):
    """Executes the steps of an epoch of training, and then the evaluation.

    Parameters
    ----------
    step
        The step to repeat.
    batch_size
        Examples per step.
    """

    def __init__(self, step: Step, batch_size: int) -> None:
        self.step = step
        self.batch_size = batch_size
        self.count = len(step.dataset.train) // batch_size

    @abstractmethod
    def steps(
        self, generator: torch.Generator, scheduler: lr_scheduler.LRScheduler
    ) -> Iterator[int]:
        """Execute the steps of an epoch; yield the number of steps done since the last yield.

        The batches are drawn with `generator`, and `scheduler` is stepped once for each of them.
        """

    def figures(self) -> tuple[float, float, float]:
        """Evaluate the model; return the epoch's mean loss, training accuracy and test accuracy."""
        dataset = self.step.dataset
        loss_sum, right, right_on_test = self._sums()
        return (
            loss_sum / self.count,
            right / (self.count * self.batch_size * dataset.targets_per_example),
            right_on_test / (len(dataset.test) * dataset.targets_per_example),
        )

    @abstractmethod
    def _sums(self) -> tuple[float, int, int]:
        """Return the sum of losses and the numbers of right predictions in training and test."""


class PlainRunner(EpochRunner):
    """Executes each step from Python, one after the other."""

    def steps(
        self, generator: torch.Generator, scheduler: lr_scheduler.LRScheduler
    ) -> Iterator[int]:
        """Execute the steps of an epoch; see `EpochRunner.steps`."""
        self.step.begin_epoch()
        for inputs, targets in self.step.dataset.training_batches(self.batch_size, generator):
            self.step(inputs, targets)
            scheduler.step()
            yield 1

    def _sums(self) -> tuple[float, int, int]:
        step = self.step
        right = count_right(step.model, step.dataset, "test")
        return float(step.loss_sum), int(step.right), int(right)


class RecordedRunner(EpochRunner):
    """Records a step once and lets the GPU replay it; likewise for the evaluation.

    The batches and the learning rates differ from step to step. Buffers on the device hold them for
    a whole epoch, and a counter there selects those of the current step, so that nothing has to be
    copied between steps. Work that cannot be recorded is launched from Python, using the same
    buffers.

    Parameters
    ----------
    step
        The step to repeat. Its optimizer must be a fused one, which can read the learning rate from
        the device.
    batch_size
        Examples per step.
    recorder
        The recorder for the device of the data set.
    changing
        Whether the step may change from epoch to epoch, for example because masks grow. It is then
        recorded anew in each epoch.
    """

    def __init__(self, step: Step, batch_size: int, recorder: Recorder, *, changing: bool) -> None:
        super().__init__(step, batch_size)
        self.recorder = recorder
        self.changing = changing
        device = step.dataset.device
        planned = (self.count, step.dataset.numbers_per_example, batch_size)
        self.plan = torch.zeros(planned, dtype=torch.int64, device=device)
        self.rates = torch.zeros(self.count, device=device)
        self.number = torch.zeros(1, dtype=torch.int64, device=device)
        self.rate = torch.zeros((), device=device)
        self.right = torch.zeros((), dtype=torch.int64, device=device)
        self._next: Do | None = None
        self._evaluation: Do | None = None
        self._plain = False

    def steps(
        self, generator: torch.Generator, scheduler: lr_scheduler.LRScheduler
    ) -> Iterator[int]:
        """Execute the steps of an epoch; see `EpochRunner.steps`.

        The scheduler takes all its steps at the beginning of the epoch.
        """
        self._begin_epoch(generator, scheduler)
        left = self.count
        if self._next is None or self.changing:
            for _ in range(min(WARM_UP, self.count) - 1):
                self._do_next()
                yield 1
            self._next = self._recorded(self._do_next)
            yield 1
            left -= min(WARM_UP, self.count)
        while left:
            several = min(AHEAD, left)
            for _ in range(several):
                self._next()
            self.recorder.pace()
            yield several
            left -= several

    def _sums(self) -> tuple[float, int, int]:
        if self.changing:
            self._evaluate()
        elif self._evaluation is None:
            self._evaluation = self._recorded(self._evaluate)
        else:
            self._evaluation()
        sums = [self.step.loss_sum, self.step.right, self.right]
        loss, trained, tested = self.recorder.read(torch.stack([x.double() for x in sums]))
        return loss, int(trained), int(tested)

    def _begin_epoch(self, generator: torch.Generator, scheduler: lr_scheduler.LRScheduler) -> None:
        plan = self.step.dataset.draw_epoch(self.batch_size, generator)
        rates = _rates(scheduler, self.count)
        pinned = plan.is_pinned()
        self.plan.copy_(plan, non_blocking=pinned)
        self.rates.copy_(rates.pin_memory() if pinned else rates, non_blocking=pinned)
        self.number.zero_()
        self.step.begin_epoch()

    def _do_next(self) -> None:
        """Execute the step that the counter selects; this function is what is recorded."""
        row = self.plan.index_select(0, self.number).squeeze(0)
        self.rate.copy_(self.rates.index_select(0, self.number).squeeze(0))
        with _learning_at(self.rate, self.step.optimizer):
            self.step(*self.step.dataset.planned_batch(row))
        self.number += 1

    def _evaluate(self) -> None:
        step = self.step
        self.right.copy_(count_right(step.model, step.dataset, "test"))

    def _recorded(self, do: Do) -> Do:
        """Call `do`; return a recording of it, or `do` itself if it cannot be recorded."""
        if self._plain:
            do()
            return do
        if self.recorder.waits(do):
            self._go_on_plainly("a layer or hook reads numbers back from the GPU in every step")
            return do
        try:
            return self.recorder.record(do)
        except RuntimeError as error:
            self._go_on_plainly(str(error).partition("\n")[0])
            return do

    def _go_on_plainly(self, reason: str) -> None:
        self._plain = True
        print(f"The GPU cannot repeat the steps by itself, which would be faster: {reason}.")


def _rates(scheduler: lr_scheduler.LRScheduler, count: int) -> Tensor:
    """Step the scheduler `count` times; return the learning rates of these steps, (count,)."""
    rates = []
    with warnings.catch_warnings():
        # PyTorch warns when a scheduler is stepped before its optimizer.
        warnings.simplefilter("ignore")
        for _ in range(count):
            rates.append(scheduler.get_last_lr()[0])
            scheduler.step()
    return torch.tensor(rates)


@contextmanager
def _learning_at(rate: Tensor, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Make the optimizer take its learning rate from a tensor instead of its scheduler."""
    rates = [group["lr"] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = rate
    try:
        yield
    finally:
        for group, scheduled in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = scheduled
