"""Reference implementations for the assignment on quantization."""
