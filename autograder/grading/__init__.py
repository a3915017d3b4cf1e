"""Grade submissions: nbgrader's steps, running student code in the sandbox, and feedback."""
