"""Notebooks for a GPU, and notebooks that change torch's defaults, are answered as meant."""

import pytest
import torch
from kernels import printed, start

from autograder.sandbox.inside.responder import Responder
from autograder.sandbox.inside.torch_here import OnTheCpu, usual_defaults

X = torch.arange(3.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.zeros(3, device="cuda"),
        lambda: torch.zeros(3, device=torch.device("cuda", 1)),
        lambda: torch.tensor([1.0], device="mps"),
        lambda: torch.empty_like(X, device="cuda"),
        lambda: X.new_zeros(2, device="cuda"),
        lambda: X.cuda(),
        lambda: X.to("cuda"),
        lambda: X.to("cuda:0", torch.float64),
        lambda: X.to(device="cuda", dtype=torch.float64),
        lambda: X.to(0),
        lambda: X.pin_memory(),
        lambda: torch.nn.Linear(3, 2, device="cuda").weight,
        lambda: torch.nn.Linear(3, 2).cuda().weight,
        lambda: torch.nn.Linear(3, 2).to("cuda", torch.float64).weight,
    ],
)
def test_what_is_asked_for_on_a_gpu_is_on_the_cpu(make):
    with OnTheCpu():
        assert make().device == torch.device("cpu")


def test_whatever_has_nothing_to_do_with_devices_stays_as_it_is():
    with OnTheCpu():
        assert X.to(torch.float64).dtype == torch.float64
        assert X.to(torch.ones(1, dtype=torch.int64)).dtype == torch.int64
        assert torch.zeros(2, device="meta").is_meta
        assert X.to(dtype=torch.float16).dtype == torch.float16


@pytest.fixture
def changed():
    """Change torch's defaults, as a cell of a notebook may, and restore them afterwards."""
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    yield
    torch.set_grad_enabled(True)
    torch.set_default_device("cpu")
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("changed")
def test_a_hidden_test_finds_the_usual_defaults_and_leaves_those_of_the_notebook():
    with usual_defaults():
        made = torch.zeros(1)
        assert (made.dtype, made.device.type) == (torch.float32, "cpu")
        assert torch.is_grad_enabled()
    assert torch.zeros(1).dtype == torch.float64
    assert torch.zeros(1).is_meta
    assert not torch.is_grad_enabled()


@pytest.mark.usefixtures("changed")
def test_a_function_of_the_notebook_answers_under_the_usual_defaults():
    target = {"handle": None, "path": ["ones"]}
    reply = Responder({"ones": torch.ones}).answer({"op": "call", "target": target, "args": [2]})
    assert "float32" in str(reply)


GPU_NOTEBOOK = """
import torch
torch.set_default_device("cuda")
model = torch.nn.Linear(3, 2).cuda()
torch.cuda.synchronize()
print(model(torch.ones(1, 3, device="cuda")).shape, torch.get_default_device())
"""


@pytest.mark.slow
def test_a_notebook_for_a_gpu_runs_in_the_sandbox(folders):
    with start(folders) as session:
        assert printed(session, GPU_NOTEBOOK) == "torch.Size([1, 2]) cpu\n"
