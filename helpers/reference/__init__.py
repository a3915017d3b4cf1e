"""Reference implementations: the right answers. Never part of a student build unless unlocked."""
