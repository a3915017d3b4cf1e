"""Where tensors live when nobody says otherwise, and in which precision a device is fast."""

import torch


def default_device() -> torch.device:
    """Return the fastest device here: CUDA, then MPS (Apple), then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def fast_dtype(device: torch.device) -> torch.dtype:
    """Return the floating-point type in which `device` multiplies fastest.

    Parameters
    ----------
    device
        A device of this machine.

    Returns
    -------
    torch.dtype
        ``bfloat16`` where the hardware has it (NVIDIA from Ampere on; processors with AVX512-BF16
        or AMX), ``float16`` on older NVIDIA devices with tensor cores (Colab's T4), else
        ``float32``.
    """
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        if capability >= (8, 0):
            return torch.bfloat16
        return torch.float16 if capability >= (7, 0) else torch.float32
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # from torch 2.11 on
        has = torch.cpu.get_capabilities()
        if has.get("avx512_bf16") or has.get("amx_bf16"):
            return torch.bfloat16
    return torch.float32
