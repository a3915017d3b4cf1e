"""Where student code runs: a process of its own that nothing of value is reachable from."""
