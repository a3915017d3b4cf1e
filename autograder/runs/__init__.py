"""The reference runs of the course: the experiments, their tasks, and their frozen results."""
