"""The self-test of the hidden tests: wrong answers lose points, and right ones lose none.

Every hidden test is tried with answers whose verdict is known: systematic mutants of the solution,
the known misconceptions, and answers written by hand. `autograder selftest` runs it.
"""
