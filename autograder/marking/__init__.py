"""Marking written answers by hand: all answers to one question on one page, without names.

A small server on this machine shows the pages. The points and comments that a person gives go into
nbgrader's gradebook at once, so that the formgrader, feedback pages and reports have them, too.
"""
