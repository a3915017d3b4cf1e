"""The reference runs of the course: experiments, their tasks, and what is frozen of them."""
