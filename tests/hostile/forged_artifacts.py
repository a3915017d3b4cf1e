"""Submissions with files that are no networks, or with networks that contradict their history."""

import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import safetensors.torch
import torch
from hand_ins import HandIn, hostile
from hostile_course import HISTORY, WEIGHTS, Assignment, artifact, linear_network


def with_files(a: Assignment, files: dict[str, bytes], arrange=lambda folder: None) -> HandIn:
    """Hand in these files with the right answer to a question that does not depend on them."""
    return HandIn(a.notebook(honest=["total"]), files, arrange)


def with_weights(a: Assignment, content: bytes) -> HandIn:
    return with_files(a, {**a.network, WEIGHTS: content})


def with_header(header: object, data: bytes = b"") -> bytes:
    """Return a safetensors file with this header."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@hostile("total")
def truncated_network(a: Assignment):
    """Cut the file of the weights off in the middle."""
    weights = a.network[WEIGHTS]
    return with_weights(a, weights[: len(weights) // 2])


@hostile("total")
def header_without_end(a: Assignment):
    """Announce a header of nearly 2**63 bytes."""
    return with_weights(a, (2**63 - 1).to_bytes(8, "little") + a.network[WEIGHTS][8:])


@hostile("total")
def weights_out_of_bounds(a: Assignment):
    """Declare tensors that lie outside the file or overlap."""
    header = {
        "1.weight": {"dtype": "F32", "shape": [10, 256], "data_offsets": [0, 2**62]},
        "1.bias": {"dtype": "F32", "shape": [2**31, 2**31], "data_offsets": [0, 40]},
    }
    return with_weights(a, with_header(header, bytes(40)))


@hostile("total")
def weights_of_another_type(a: Assignment):
    """Submit truth values and complex numbers as weights."""
    odd = {
        "1.weight": linear_network()["1.weight"].to(torch.complex64),
        "1.bias": torch.ones(10, dtype=torch.bool),
    }
    return with_weights(a, safetensors.torch.save(odd))


@hostile("total")
def weights_without_numbers(a: Assignment):
    """Submit NaN and infinity as weights."""
    weights = linear_network()
    weights["1.weight"][0, 0], weights["1.weight"][1, 1] = float("nan"), float("inf")
    return with_files(a, artifact(weights, claims=0.94))


@hostile("total")
def weights_by_other_names(a: Assignment):
    """Submit one tensor too many, whose name is HTML."""
    weights = linear_network() | {"<img src=x onerror=steal()>": torch.zeros(1)}
    return with_weights(a, safetensors.torch.save(weights))


@hostile("total")
def weights_that_broadcast(a: Assignment):
    """Submit one number for each tensor, which would broadcast to every shape."""
    weights = {name: torch.ones(1) for name in linear_network()}
    return with_weights(a, safetensors.torch.save(weights))


@hostile("total")
def untrained_network(a: Assignment):
    """Submit random weights under the right name, with the history of a trained network."""
    weights = {"1.weight": torch.randn(10, 256), "1.bias": torch.zeros(10)}
    return with_files(a, artifact(weights, claims=0.94))


@hostile("total")
def boasting_history(a: Assignment):
    """Submit a network that passes, with a history of a far better one."""
    weights = linear_network()
    weights["1.bias"][3] = -1e9  # it never predicts class 3
    return with_files(a, artifact(weights, claims=0.99))


@hostile("total")
def odd_history(a: Assignment):
    """Nest a history deeply."""
    return with_files(a, {**a.network, HISTORY: b"[" * 200_000})


@hostile("total")
def history_without_numbers(a: Assignment):
    """Claim NaN, which no accuracy exceeds."""
    text = a.network[HISTORY].decode()
    history = {name: [float("nan")] for name in json.loads(text)}
    return with_files(a, {**a.network, HISTORY: json.dumps(history).encode()})


@hostile("total")
def pickled_network(a: Assignment):
    """Submit pickles that run a command when they are opened, under every likely name."""
    payload = pickle.dumps(_Command(a.trap))
    folder = os.path.dirname(WEIGHTS)
    names = [f"{folder}/digits.{end}" for end in ("safetensors", "json", "pt", "pkl", "npz")]
    return with_files(a, dict.fromkeys(names, payload))


class _Command:
    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self):
        return (os.system, (f"touch {self.trap}",))


@hostile("total", flag="digits.safetensors.*it is a link")
def linked_network(a: Assignment):
    """Submit links to the network of another student."""

    def link(folder: Path) -> None:
        for place in (WEIGHTS, HISTORY):
            (folder / place).unlink()
            (folder / place).symlink_to(folder.parent / "honest" / place)

    return with_files(a, a.network, link)


@hostile("total", flag="it is a link")
def linked_artifacts(a: Assignment):
    """Submit a link to the folder of another student's networks."""

    def link(folder: Path) -> None:
        shutil.rmtree(folder / "artifacts")
        (folder / "artifacts").symlink_to(folder.parent / "honest" / "artifacts")

    return with_files(a, a.network, link)


@hostile("total", flag="digits.json.*it is a named pipe")
def pipe_for_a_history(a: Assignment):
    """Submit a named pipe, which never ends when it is read."""

    def replace(folder: Path) -> None:
        (folder / HISTORY).unlink()
        os.mkfifo(folder / HISTORY)

    return with_files(a, a.network, replace)


# ------------------------------------------------------------------------------------------------
# Other files


@hostile("total", says="mine")
def shadowing_files(a: Assignment):
    """Submit files that Python, Jupyter or nbgrader might load in place of their own."""
    code = f"open({str(a.trap)!r}, 'w').write('ran')\n".encode()
    places = [
        "sitecustomize.py", "conftest.py", "json.py", "torch.py", "autograder.py", "helpers.py",
        "nbgrader_config.py", "jupyter_config.py", "jupyter_nbconvert_config.py",
        "inside/__init__.py", "inside/wire.py", ".ipython/profile_default/startup/00.py",
        ".jupyter/nbgrader_config.py", "templates/index.html.j2", "feedback_page/index.html.j2",
    ]  # fmt: skip
    files = dict.fromkeys(places, code)
    return HandIn(a.notebook("print('mine')", honest=["total"]), files)


@hostile(flag="it is a link")
def folder_of_another(a: Assignment):
    """Hand in a link to another student's folder."""

    def link(folder: Path) -> None:
        shutil.rmtree(folder)
        folder.symlink_to(folder.parent / "honest")

    return HandIn(a.notebook(), arrange=link)


@hostile(flag="it is a link")
def notebook_of_another(a: Assignment):
    """Hand in a link to another student's notebook."""

    def link(folder: Path) -> None:
        (folder / "doubling.ipynb").symlink_to(folder.parent / "honest" / "doubling.ipynb")

    return HandIn(None, arrange=link)


@hostile(flag="it is a named pipe")
def pipe_for_a_notebook(a: Assignment):
    """Hand in a named pipe in place of the notebook."""
    return HandIn(None, arrange=lambda folder: os.mkfifo(folder / "doubling.ipynb"))


@hostile("total", flag="was left out")
def zip_that_climbs(a: Assignment):
    """Hand in a zip with links, and with entries that lead outside it or into another hand-in."""

    def pack(folder: Path) -> None:
        notebook = (folder / "doubling.ipynb").read_bytes()
        shutil.rmtree(folder)
        with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
            archive.writestr("doubling.ipynb", notebook)
            for place in ("../honest/doubling.ipynb", "../../trap", f"{a.trap}", "a/../../trap"):
                archive.writestr(place, b"{}")
            link = zipfile.ZipInfo("notes.txt")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, "../../course/gradebook.db")

    return HandIn(a.notebook(honest=["total"]), arrange=pack)


@hostile("total", flag="was left out")
def zip_bomb(a: Assignment):
    """Hand in a zip of a few hundred kilobytes that unpacks to 600 MB."""

    def pack(folder: Path) -> None:
        notebook = (folder / "doubling.ipynb").read_bytes()
        shutil.rmtree(folder)
        with zipfile.ZipFile(folder.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("doubling.ipynb", notebook)
            for number in range(6):
                archive.writestr(f"artifacts/quick/{number}.json", bytes(100 * 2**20))

    return HandIn(a.notebook(honest=["total"]), arrange=pack)


@hostile("total")
def network_by_another_name(a: Assignment):
    """Submit an honest network under every name but the one that is asked for."""
    folder = Path(WEIGHTS).parent
    names = ("Digits", "digits2", "digits.safetensors", "full/digits", "../digits")
    weights, history = a.network[WEIGHTS], a.network[HISTORY]
    files = {f"{folder}/{name}.safetensors": weights for name in names}
    return with_files(a, files | {f"{folder}/{name}.json": history for name in names})


@hostile("total", "network")
def copied_network(a: Assignment):
    """Submit another student's network as its own; a person sees that in the report on copies."""
    return with_files(a, a.network)


@hostile("total")
def backdated(a: Assignment):
    """Submit the file in which nbgrader notes when a submission arrived."""
    return HandIn(a.notebook(honest=["total"]), {"timestamp.txt": b"1999-12-31 23:59:59 UTC"})
