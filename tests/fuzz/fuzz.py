"""Fuzz what the trusted side does with bytes from a sandbox, guided by coverage.

``make fuzz`` runs this program with every target: python fuzz.py TARGET [options of libFuzzer]. An
input that breaks something is written to the working folder, and the program ends with an error.
"""

import sys

import atheris

with atheris.instrument_imports(include=["autograder", "json", "base64"]):
    import autograder.grading.execution
    import autograder.hidden.student
    import autograder.sandbox.session  # noqa: F401

from targets import TARGETS

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
