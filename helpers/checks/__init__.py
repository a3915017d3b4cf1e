"""Public checks: what students run on their answers, one module per assignment.

In a notebook: ``from helpers.checks import quantization as checks``. A check tries an answer on
examples worked out by hand and on properties that every right answer has. It knows no solution.
"""
