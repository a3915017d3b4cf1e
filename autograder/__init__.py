"""The instructor's and TA's side: release, grade, report, reference runs."""

import sys

# jsonschema, which nbformat uses, would import this package for a kind of text that no notebook has
# (internationalized addresses), and that takes a second. Without it, such texts are not checked.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
