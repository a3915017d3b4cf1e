"""Grade submissions: nbgrader's steps, student code in its sandbox, feedback."""
