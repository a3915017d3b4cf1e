"""Each device computes in the type in which its hardware is fast."""

import pytest
import torch

from helpers.device import fast_dtype


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ((6, 1), torch.float32),  # GTX 1080: no tensor cores
        ((7, 0), torch.float16),  # V100
        ((7, 5), torch.float16),  # T4
        ((8, 0), torch.bfloat16),  # A100
        ((9, 0), torch.bfloat16),  # H100
        ((12, 0), torch.bfloat16),  # RTX 5090
    ],
)
def test_an_nvidia_device_is_judged_by_its_generation(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert fast_dtype(torch.device("cuda")) == expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"neon": True}, torch.float32),  # ARM names other capabilities
    ],
)
def test_a_processor_is_judged_by_the_capabilities_that_it_reports(
    monkeypatch, capabilities, expected
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert fast_dtype(torch.device("cpu")) == expected


def test_a_processor_that_an_older_torch_cannot_ask_computes_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert fast_dtype(torch.device("cpu")) == torch.float32


@pytest.mark.parametrize("device", ["mps", "meta"])
def test_any_other_device_computes_in_float32(device):
    assert fast_dtype(torch.device(device)) == torch.float32
