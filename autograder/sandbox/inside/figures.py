"""Show figures as Jupyter does, but without drawing them.

Drawing takes 0.2 s of processor time for each figure, and nobody looks at most of them: hidden
tests judge what was plotted, and a feedback page shows the figures that the student's Jupyter has
drawn.
"""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import select_figure_formats


def show_without_drawing(shell: InteractiveShell) -> None:
    """Let the cells of a shell show and close their figures; each appears as a line of text."""
    # Imported here, because it loads matplotlib, which takes a second.
    from matplotlib_inline.backend_inline import configure_inline_support

    # When it is imported it does this by itself, unless that was before the shell was there, as in
    # a kernel that was forked.
    configure_inline_support(shell, "inline")
    select_figure_formats(shell, set())
