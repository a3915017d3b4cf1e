"""Trained networks as files, which are saved once, loaded the next time, submitted and graded.

An artifact consists of two files beside the notebook: ``artifacts/<profile>/<name>.safetensors``
holds the weights and ``<name>.json`` the history. The grader opens files from untrusted sources.
Reading an artifact therefore runs no code, follows no link, and refuses anything malformed.
"""

import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

from helpers.files import replacing
from helpers.kernel import is_graded
from helpers.profile import profile
from helpers.provenance import Provenance, alike, sizes
from helpers.training import History

__all__ = [
    "Artifact",
    "ArtifactError",
    "ArtifactMissing",
    "artifact_files",
    "artifact_folder",
    "load_artifact",
    "make_plain",
    "provenance_of",
    "read_weights",
    "save_artifact",
    "train_or_load",
    "write_weights",
]

MAX_WEIGHTS_BYTES = 64 << 20  # a ResNet-18 has 45 MB
MAX_HISTORY_BYTES = 1 << 20
PROVENANCE = "provenance"
"""The entry in the header of the weights that says what they were trained from."""
DTYPES = frozenset(
    {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.uint8}
)


class ArtifactError(Exception):
    """An artifact cannot be used; the message says which artifact and why."""


class ArtifactMissing(ArtifactError):
    """There is no artifact with that name; the message says how to make it."""


@dataclass(frozen=True)
class Artifact:
    """A trained network.

    Attributes
    ----------
    name
        The artifact's name, such as ``"qat_4bit"``.
    weights
        The state dict, on the CPU.
    history
        The training history, as the student submitted it; nothing in it is verified.
    """

    name: str
    weights: dict[str, Tensor]
    history: History

    def load_into(self, model: nn.Module) -> None:
        """Copy the weights into `model`, which becomes plain (`make_plain`).

        Raises
        ------
        ArtifactError
            If the names or shapes of the weights differ from those of `model`.
        """
        make_plain(model)
        expected = model.state_dict()
        for name in sorted(expected.keys() | self.weights.keys()):
            if name not in self.weights:
                difference = f"it lacks {name}"
            elif name not in expected:
                difference = f"it has {name:.80}"
            elif self.weights[name].shape != expected[name].shape:
                shapes = [tuple(weights[name].shape) for weights in (self.weights, expected)]
                difference = f"its {name} has the shape {shapes[0]}, not {shapes[1]}"
            else:
                continue
            raise ArtifactError(f"{self.name!r} is the artifact of another network: {difference}.")
        model.load_state_dict(self.weights)


def artifact_folder(root: Path | str = ".") -> Path:
    """Return the folder of the current profile's artifacts for a notebook in `root`."""
    return Path(root) / "artifacts" / profile()


def artifact_files(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the paths of an artifact's two files, the weights and the history.

    Raises
    ------
    ValueError
        If `name` is empty, is longer than 64 characters, or contains anything but lower-case
        letters, digits and underscores.
    """
    if not re.fullmatch(r"[a-z0-9_]{1,64}", name):
        raise ValueError(
            f"{name!r} is not a valid name for an artifact: use at most 64 lower-case letters, "
            "digits and underscores."
        )
    return folder / f"{name}.safetensors", folder / f"{name}.json"


def train_or_load(
    name: str, train: Callable[[nn.Module, Path], History], model: nn.Module
) -> History:
    """Train `model` and save it, or load the artifact that an earlier call saved.

    If the code or the settings of the training have changed since an artifact was saved, it is
    loaded all the same, and a message says what has changed and how to train anew. An interrupted
    training whose code or settings have changed starts from the beginning.

    Parameters
    ----------
    name
        Name of the artifact. It is stored in ``artifacts/<profile>`` under the current folder.
    train
        Function that trains the model and returns the history. It is called with the model and
        the path of a checkpoint for `helpers.training.fit`, from which an interrupted training
        continues. The checkpoint is deleted when the artifact is complete.
    model
        The network to train. When the function returns, it has the trained weights.

    Returns
    -------
    History
        The history of the training, now or at the time when the artifact was saved.

    Raises
    ------
    ArtifactMissing
        If there is no artifact and the environment variable COURSE_GRADING is 1, because grading
        never trains.
    ArtifactError
        If the saved artifact is damaged or belongs to another network, or if the training has
        diverged.

    Examples
    --------
    >>> history = train_or_load(
    ...     "qat_4bit",
    ...     lambda model, checkpoint: fit(model, digits, epochs=3, checkpoint=checkpoint),
    ...     model,
    ... )
    """
    folder = artifact_folder()
    weights_file, history_file = artifact_files(folder, name)
    grading = is_graded()
    # What the training starts from is looked at first, because the training changes it.
    provenance = None if grading else Provenance.of(train, model)
    if weights_file.exists() and history_file.exists():
        artifact = load_artifact(folder, name)
        artifact.load_into(model)
        changes = [] if provenance is None else _changes(weights_file, artifact, provenance)
        if changes:
            print(
                f"{name}: the old network was loaded. Since it was trained, this has changed:",
                *changes,
                sep="\n  - ",
            )
            print(f"To train it anew, delete {weights_file} and run this cell again.")
        else:
            print(
                f"{name}: loaded from {folder}; to train again, delete {weights_file.name} there."
            )
        return artifact.history
    if provenance is None:
        raise _missing(weights_file)
    checkpoint = folder / f"{name}.checkpoint"
    begun = folder / f"{name}.begun.json"
    _drop_checkpoint_of_other_code(checkpoint, begun, provenance)
    with replacing(begun) as temporary:
        temporary.write_text(provenance.to_json(), encoding="utf-8")
    history = train(model, checkpoint)
    save_artifact(folder, name, model, history, provenance)
    checkpoint.unlink(missing_ok=True)
    begun.unlink(missing_ok=True)
    return history


def _changes(weights_file: Path, artifact: Artifact, now: Provenance) -> list[str]:
    """Return what has changed since an artifact was trained, in words."""
    then = provenance_of(weights_file)
    if then is None:  # it is older than this record, or comes from a reference run
        return []
    changes = then.changes(now)
    # A network that has the trained weights already is not the one that a training starts from.
    if not any(alike(start, now.start) for start in (then.start, sizes(artifact.weights))):
        changes.append("the network that the training starts from is another one")
    return changes


def provenance_of(weights_file: Path) -> Provenance | None:
    """Return what a network was trained from, if its file, which was read before, says so."""
    return Provenance.from_json(_metadata(weights_file).get(PROVENANCE, ""))


def _drop_checkpoint_of_other_code(checkpoint: Path, begun: Path, now: Provenance) -> None:
    """Delete the checkpoint of an interrupted training if its code or settings have changed."""
    if not (checkpoint.exists() and begun.exists()):
        return
    then = Provenance.from_json(begun.read_text(encoding="utf-8", errors="replace"))
    if then is not None and (changes := then.changes(now)):
        print(
            "Training starts from the beginning, because of what changed since its interruption:",
            *changes,
            sep="\n  - ",
        )
        checkpoint.unlink()


def save_artifact(
    folder: Path,
    name: str,
    model: nn.Module,
    history: History,
    provenance: Provenance | None = None,
) -> None:
    """Save the weights of `model` and the history as an artifact, replacing any earlier one.

    Parameters
    ----------
    folder
        Folder of the two files; see `artifact_folder`.
    name
        Name of the artifact.
    model
        The trained network, which becomes plain (`make_plain`).
    history
        The history of its training.
    provenance
        What it was trained from. By default, the artifact does not say.

    Raises
    ------
    ArtifactError
        If a weight or a loss is not a finite number. Nothing is saved in this case.
    """
    weights_file, history_file = artifact_files(folder, name)
    if pruned := make_plain(model):
        print(
            f"{name}: the layers of torch.nn.utils ({', '.join(pruned)}) were made plain before "
            "they were saved: what was pruned there is now 0, and no mask holds it there any more."
        )
    numbers = [*model.state_dict().values(), torch.tensor(history.train_loss)]
    if not all(torch.isfinite(tensor).all() for tensor in numbers):
        raise ArtifactError(
            f"{name!r} was not saved, because the training has diverged: a weight or a loss is "
            "not a finite number. Lower the learning rate and run the cell again."
        )
    # The weights are removed first and written last. Without them there is no artifact, so an
    # interruption never leaves the history of one run beside the weights of another.
    weights_file.unlink(missing_ok=True)
    with replacing(history_file) as temporary:
        temporary.write_text(json.dumps(history.to_dict(), indent=1) + "\n", encoding="utf-8")
    metadata = {} if provenance is None else {PROVENANCE: provenance.to_json()}
    _write(weights_file, model.state_dict(), metadata)


def make_plain(model: nn.Module) -> list[str]:
    """Give the layers of a network their usual parameters again, with the values they have now.

    `torch.nn.utils.prune` keeps ``weight_orig`` and ``weight_mask`` in place of ``weight``, and
    `torch.nn.utils.parametrize` does something similar. Such a network has other names in its
    state dict than the network that was asked for, and its artifact could not be loaded there.

    Returns
    -------
    list of str
        The names of the layers that were changed.
    """
    changed = []
    for name, module in list(model.named_modules()):
        if isinstance(module, parametrize.ParametrizationList | nn.ModuleDict):
            continue
        hooks = list(module._forward_pre_hooks.values())
        pruned = [h._tensor_name for h in hooks if isinstance(h, prune.BasePruningMethod)]
        for tensor in pruned:
            prune.remove(module, tensor)
        parametrized = list(module.parametrizations) if parametrize.is_parametrized(module) else []
        for tensor in parametrized:
            parametrize.remove_parametrizations(module, tensor, leave_parametrized=True)
        if pruned or parametrized:
            changed.append(name or type(module).__name__)
    return changed


def load_artifact(folder: Path, name: str) -> Artifact:
    """Read an artifact from an untrusted source.

    Parameters
    ----------
    folder
        Folder of the two files; see `artifact_folder`.
    name
        Name of the artifact.

    Raises
    ------
    ArtifactMissing
        If one of the two files is missing.
    ArtifactError
        If one of the files is not a regular file (but a link, for example), is too large, or is
        malformed: not in the safetensors format, with numbers that are not finite, or not a
        history.
    """
    weights_file, history_file = artifact_files(folder, name)
    weights = read_weights(weights_file)
    content = _read(history_file, MAX_HISTORY_BYTES)
    try:
        history = History.from_dict(json.loads(content.decode("utf-8")))
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or not a history
        raise ArtifactError(f"{history_file.name} is not a history: {error}.") from error
    return Artifact(name, weights, history)


# ------------------------------------------------------------------------------------------------
# Files


def write_weights(path: Path, weights: Mapping[str, Tensor], about: Any = None) -> None:
    """Write weights to a safetensors file, completely or not at all.

    Parameters
    ----------
    path
        The file to write. Its folder is created if necessary.
    weights
        Mapping from name to tensor, on any device.
    about
        Plain data about the weights, stored as JSON in the header of the file. By default, nothing
        is stored there.
    """
    _write(path, weights, {} if about is None else {"about": json.dumps(about)})


def _write(path: Path, weights: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    # safetensors refuses tensors that share memory, as tied weights do, so each is copied.
    plain = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in weights.items()
    }
    with replacing(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(plain, metadata or None))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read weights from an untrusted source onto the CPU.

    Raises
    ------
    ArtifactMissing, ArtifactError
        As for `load_artifact`.
    """
    content = _read(path, MAX_WEIGHTS_BYTES)
    try:
        weights = safetensors.torch.load(content)
    except Exception as error:  # malformed files raise errors of many kinds
        raise ArtifactError(f"{path.name} is damaged or not a safetensors file.") from error
    for name, tensor in weights.items():
        if tensor.dtype not in DTYPES:
            raise ArtifactError(f"{path.name} is malformed: {name!r:.80} is {tensor.dtype}.")
        if not torch.isfinite(tensor).all():
            raise ArtifactError(
                f"{path.name} has weights that are not finite numbers ({name!r:.80}): "
                "the training has diverged."
            )
    return weights


def _metadata(path: Path) -> dict[str, str]:
    """Return the texts in the header of a safetensors file that has been read before."""
    with safetensors.safe_open(path, framework="pt") as file:
        return file.metadata() or {}


def _read(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; never follow a link or wait for a pipe."""
    flags = os.O_RDONLY
    # Some platforms lack some of these flags.
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, flag, 0)
    if path.is_symlink() or path.parent.is_symlink():
        raise ArtifactError(
            f"{path.name} is a link or lies in a linked folder: submit the file itself."
        )
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(path) from error
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be opened: {error.strerror}.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ArtifactError(f"{path.name} is not a regular file.")
    with open(descriptor, "rb") as file:
        # The limit applies to what is read, not to the size in the file system: files can grow.
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ArtifactError(f"{path.name} is larger than {limit >> 20} MB.")
    return content


def _missing(path: Path) -> ArtifactMissing:
    return ArtifactMissing(
        f"{path.name} is missing in {Path(*path.parent.parts[-2:])}: run the cell that trains "
        f"{path.stem!r}, and submit the artifacts together with the notebook."
    )
