"""The look of a panel with check marks: public checks and graded questions are one course.

Inline styles, because a panel is shown where no style sheet of ours is: in a notebook, in the
formgrader, on a feedback page. Contrasts are above 4.5 on the panel's background, and the colours
differ in lightness as well as in hue.
"""

GREEN = "#17693b"
AMBER = "#8a5300"
RED = "#b3261e"
PANEL = (
    "margin:4px 0;padding:10px 14px;border:1px solid #d5dbe3;border-left:5px solid {colour};"
    "border-radius:4px;background-color:#fbfcfd;color:#1f2933;text-align:left;"
    "font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:14px;"
    "line-height:1.5;max-width:54em"
)
HEADING = "font-weight:600;margin-bottom:2px;color:#1f2933"
# A hanging indent, so that a long message stays clear of its mark.
LINE = "padding-left:22px;text-indent:-22px;margin:3px 0;color:#1f2933"
MARK = "display:inline-block;width:22px;text-indent:0;font-weight:700;color:{colour}"
NOTE = (
    "margin:5px 0 7px 22px;padding:6px 10px;border-left:3px solid #c98a00;background-color:#fff6df;"
    "color:#3b2f12;border-radius:2px;overflow-wrap:anywhere"
)
CODE = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em;color:inherit"
