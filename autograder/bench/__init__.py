"""``python -m autograder.bench FILE``: how fast this machine trains, grades and codes.

``python -m autograder.bench.time_to_accuracy FILE``: how soon it reaches a reported accuracy.
"""
