"""``python -m autograder.bench FILE``: how fast this machine trains, grades and codes."""
