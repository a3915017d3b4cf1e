"""The results page for a browser, which does not show Markdown."""

from __future__ import annotations

from pathlib import Path

from autograder.errors import UserError
from helpers.files import replacing

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Reference runs</title>
<base href="{base}/">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2em; color: #1f2933 }}
table {{ border-collapse: collapse; font-size: 13px }}
th, td {{ border-bottom: 1px solid #d5dbe3; padding: 3px 8px; text-align: left }}
a.anchor-link {{ display: none }}
img {{ max-width: 100%; display: block }}
</style>
<main>
{body}
</main>
</html>
"""


def html_page(page: Path, folder: Path) -> Path:
    """Write a results page as HTML; return the file.

    Parameters
    ----------
    page
        The page in Markdown. Its plots stay where they are, beside it.
    folder
        The folder for the HTML file.

    Raises
    ------
    UserError
        If nbconvert is not installed, which converts the page.
    """
    try:
        from nbconvert.filters import markdown2html
    except ImportError as error:
        raise UserError(
            f"The page cannot be shown in a browser without nbconvert. It is written: {page}"
        ) from error
    file = folder.resolve() / f"{page.parent.name}.html"
    body = markdown2html(page.read_text(encoding="utf-8"))
    with replacing(file) as temporary:
        text = PAGE.format(base=page.resolve().parent.as_uri(), body=body)
        temporary.write_text(text, encoding="utf-8")
    return file
