"""Tools for writing the public checks of the assignments.

Students run public checks on their answers. The checks of each assignment are in
`helpers.assignments`. A check tests an answer on examples that were worked out by hand, and for
properties that every right answer has; it contains no solution.
"""
