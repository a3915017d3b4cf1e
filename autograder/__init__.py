"""The instructor's and TA's side: release, grade, report, reference runs."""
