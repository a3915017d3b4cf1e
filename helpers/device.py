"""The default device for tensors, and the precision in which a device is fastest."""

import torch


def default_device() -> torch.device:
    """Return the fastest available device: CUDA, else MPS (Apple), else the CPU."""
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
        ``bfloat16`` if the hardware supports it (NVIDIA GPUs from Ampere on; processors with
        AVX512-BF16 or AMX), ``float16`` on older NVIDIA GPUs with tensor cores (Colab's T4), else
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
