"""Where tensors live when nobody says otherwise."""

import torch


def default_device() -> torch.device:
    """Return the fastest device here: CUDA, then MPS (Apple), then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
