"""Public checks and figures of the assignment on depthwise separable convolutions."""
