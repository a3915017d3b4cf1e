"""Every formula of the notebooks can be shown without a network."""

import re

import pytest
from source_notebook import assignments, cells

from helpers.formulas import as_mathml

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@pytest.mark.parametrize("assignment", assignments())
def test_every_formula_of_the_course_is_understood(assignment):
    texts = [
        CODE.sub("", cell.source) for cell in cells(assignment) if cell.cell_type == "markdown"
    ]
    found = [m[1] or m[2] for text in texts for m in FORMULA.finditer(text)]
    assert found
    for latex in found:
        html = as_mathml(latex, display=False)
        assert html.startswith("<math"), latex
        assert not re.search(r"<m\w+>\\", html), latex
