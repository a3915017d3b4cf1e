"""Seeds for the random inputs of hidden tests, which differ from hand-in to hand-in."""

from __future__ import annotations

import hashlib

from autograder.hidden.student import current_submission


def fresh(number: int) -> int:
    """Return a seed that only the grader knows.

    It depends on a secret of the course and on the content of the submission: grading the same
    hand-in again asks the same, but what a student has learnt from the feedback, an input or an
    expected value, helps with no other hand-in.

    Parameters
    ----------
    number
        Distinguishes the seeds of one assignment. Where there is no secret, as in a notebook that
        an instructor runs, it is the seed.

    Returns
    -------
    int
        A seed for NumPy or torch, from 0 to 2^63 - 1.
    """
    seed = current_submission().seed
    if not seed:
        return number
    digest = hashlib.blake2b(number.to_bytes(8, "big"), key=seed, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
