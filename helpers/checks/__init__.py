"""What the public checks of the assignments are written with.

Students run public checks on their answers; those of an assignment are in `helpers.assignments`. A
check tries an answer on examples worked out by hand and on properties that every right answer has.
It knows no solution.
"""
