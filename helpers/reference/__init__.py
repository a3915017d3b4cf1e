"""Reference implementations, which are part of a student build only if they are unlocked."""
