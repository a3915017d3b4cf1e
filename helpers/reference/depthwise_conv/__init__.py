"""Reference implementations for the assignment on depthwise separable convolutions."""
