"""The pages of the documentation site that are not files of ``docs/``: a hook of MkDocs.

Nothing is written twice. README, SECURITY, the changelog and the results of the reference runs are
published as they are; an assignment's page is made of its source notebook, as nbgrader would
release it; the pages of the API are made of docstrings. ``mkdocs.yml`` names the pages of each
section; those that are made of code follow there by themselves.
"""

from __future__ import annotations

import io
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import lookup

import matplotlib
import nbformat
import yaml
from latex2mathml.converter import convert as mathml
from markdown_it import MarkdownIt
from matplotlib.figure import Figure
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions
from site_figures import illustrations

from autograder.assignments import in_course_order
from autograder.notebook.source import nbgrader_marks
from autograder.references import FROZEN

ROOT = Path(__file__).resolve().parents[1]

PUBLISHED = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "autograder/references/quick/README.md": "accuracy/quick.md",
    "autograder/references/full/README.md": "accuracy/full.md",
}
"""Files outside of ``docs/``, and where the site has them."""

PROFILES = ("quick", "full")

STUDENTS_SIDE = ("helpers", "helpers/checks", "helpers/plots")
"""The packages of which every module has a page in the API."""

OUR_SIDE = (
    "autograder.assignments",
    "autograder.course",
    "autograder.grading.grade",
    "autograder.grading.regrade",
    "autograder.hidden",
    "autograder.hidden.reference",
    "autograder.misconceptions",
    "autograder.notebook.questions",
    "autograder.notebook.source",
    "autograder.releasing.audit",
    "autograder.releasing.release",
    "autograder.reporting.grade_tables",
    "autograder.reporting.report",
    "autograder.runs.experiment",
    "autograder.runs.lines",
    "autograder.settings",
)
"""The modules of the grader that those use who write an assignment or script a course."""

LINK = re.compile(r"(!?)\[((?:[^][]|\[[^]]*\])*)\]\(([^)\s]+)\)")
CODE = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} ")
DRAWING = re.compile(r'<img [^>]*src="[^"]*pictures/(?P<name>[\w-]+\.svg)"[^>]*>')

EMPTY_HEADER = re.compile(r"<th([^>]*)></th>")
"""The corner of a table, which heads nothing."""

SECTION = re.compile(
    r'(<nav class="md-nav" data-md-level="\d") aria-labelledby="\w+" aria-expanded="\w+">'
    r'(?=\s*<label class="md-nav__title"[^>]*>\s*<span [^>]*></span>'
    r"\s*(?P<title>[^<]*?)\s*</label>)"
)
"""The pages of a section in the navigation, with the title of the section."""

STYLED = re.compile(r' mathvariant="(double-struck|script)">([A-Z])(?=<)')
"""A letter in a style for which browsers want the letter of Unicode."""

SOLUTION_CODE = re.compile(r"^Equivalent mutants:$.*?(?=^#|\Z)", re.DOTALL | re.MULTILINE)
"""What the page on the self-test quotes of the solutions. It is for those who have the sources."""


def _math(text: str, options: dict[str, Any]) -> str:
    display = "block" if options["display_mode"] else "inline"
    without_negative_space = text.replace("\\!", "")
    return STYLED.sub(_letter, mathml(without_negative_space, display=display))


def _letter(styled: re.Match[str]) -> str:
    style, letter = styled.groups()
    name = f"{style.upper()} CAPITAL {letter}"
    try:
        return f">{lookup(f'MATHEMATICAL {name}')}"
    except KeyError:  # some letters, such as that of the real numbers, had names before
        return f">{lookup(name)}"


COMMONMARK = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, renderer=_math)
"""Notebooks are written in the dialect of Jupyter, which differs from that of MkDocs."""


# ------------------------------------------------------------------------------------------------
# What MkDocs calls


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the version, and add the pages that are made of code to the navigation."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    config.copyright = f"Version {version}, under the MIT licence"
    sections = {name: pages for entry in config.nav or [] for name, pages in entry.items()}
    sections["Assignments"].extend(f"assignments/{each.name}.md" for each in in_course_order())
    sections["Measurements"][1:1] = [f"accuracy/{profile}.md" for profile in PROFILES]
    sections["API"].extend(
        {side: [_api_page(module) for module in modules]} for side, modules in _api().items()
    )
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, with their pictures."""
    added: dict[str, str | bytes] = {"citation.md": _citation()}
    for path, page in PUBLISHED.items():
        added[page] = (ROOT / path).read_text(encoding="utf-8")
    for profile in PROFILES:
        for plot in sorted((FROZEN / profile / "plots").glob("*.png")):
            added[_plot_page(profile, plot.name)] = plot.read_bytes()
    added |= _assignment_pages()
    added |= _api_pages()
    for page, content in added.items():
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links between files of the repository lead to the pages of the site."""
    uri = page.file.src_uri
    if uri == "safety.md":
        markdown = SOLUTION_CODE.sub("", markdown)
    home = next((path for path, found in PUBLISHED.items() if found == uri), f"docs/{uri}")
    parts = CODE.split(markdown)
    parts[::2] = [LINK.sub(lambda link: _published(link, home, uri), part) for part in parts[::2]]
    return "".join(parts)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put drawings into the page itself, where they take on the colours of the page."""
    drawn = DRAWING.sub(
        lambda image: (ROOT / "docs" / "pictures" / image["name"]).read_text(encoding="utf-8"), html
    )
    return EMPTY_HEADER.sub(r"<td\1></td>", drawn)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Name the sections of the navigation: the theme takes their names from empty labels."""
    return SECTION.sub(r'\1 aria-label="Section \g<title>">', output)


def _published(link: re.Match[str], home: str, uri: str) -> str:
    """Return a link as the site has it; a link to a file that the site lacks becomes plain text."""
    mark, text, target = link.groups()
    path, hash_, anchor = target.partition("#")
    if "://" in target or not path or not (ROOT / home).exists():
        return link[0]
    aimed = os.path.normpath(os.path.join(os.path.dirname(home), path))
    if plot := re.fullmatch(r"autograder/references/(\w+)/plots/(.+)", aimed):
        found = _plot_page(*plot.groups())
    elif aimed.startswith("docs/"):
        found = aimed.removeprefix("docs/")
    elif aimed in PUBLISHED:
        found = PUBLISHED[aimed]
    else:
        return text
    return f"{mark}[{text}]({os.path.relpath(found, os.path.dirname(uri) or '.')}{hash_}{anchor})"


def _plot_page(profile: str, name: str) -> str:
    return f"accuracy/{profile}/{name}"


# ------------------------------------------------------------------------------------------------
# Assignments


def _assignment_pages() -> dict[str, str | bytes]:
    """Return a page for each assignment, its figures, and the page that lists them."""
    matplotlib.use("agg")
    pages: dict[str, str | bytes] = {}
    listed = ["# Assignments\n\nEach page has the text of a notebook, and the code it gives.\n"]
    for assignment in in_course_order():
        notebook = nbformat.read(assignment.notebook, as_version=4)
        artifacts = notebook.metadata.get("course", {}).get("artifacts", [])
        for clear in (ClearSolutions(), ClearHiddenTests(), ClearMarkScheme()):
            notebook, _ = clear.preprocess(notebook, {})
        title, _, text = notebook.cells[0].source.partition("\n")
        listed.append(f"## [{title.lstrip('# ')}]({assignment.name}.md)\n\n{text.strip()}\n")
        opening, *rest = _shown(notebook)
        for number, shown in enumerate(illustrations(assignment.name, artifacts), start=1):
            name = f"{assignment.name}-{number}.png"
            pages[f"assignments/{name}"] = _png(shown.figure)
            opening += f"\n\n![{shown.alternative}]({name})\n\n*{shown.caption}*"
        pages[f"assignments/{assignment.name}.md"] = "\n\n".join([opening, *rest])
    pages["assignments/index.md"] = "\n".join(listed)
    return pages


def _shown(notebook: NotebookNode) -> Iterator[str]:
    """Yield what a page shows of each cell of a released notebook.

    Of the code, these are the cells that students fill in: the others serve the notebook.
    """
    for cell in notebook.cells:
        marks = nbgrader_marks(cell)
        if cell.cell_type == "markdown" and not marks.get("grade"):
            yield "\n\n".join(_prose(cell.source))
        elif cell.cell_type == "code" and marks.get("solution"):
            yield f"```python\n{cell.source}\n```"


def _prose(source: str) -> Iterator[str]:
    """Yield headings, which MkDocs has to know, as they are, and all else as HTML."""
    text: list[str] = []
    fenced = False
    for line in [*source.split("\n"), "# "]:
        fenced ^= line.startswith("```")
        if fenced or not HEADING.match(line):
            text.append(line)
            continue
        # The theme lets everything float that has the class `inline`.
        html = COMMONMARK.render("\n".join(text)).replace('class="math inline"', 'class="math"')
        if html := html.strip():
            yield f'<div class="notebook">\n{html}\n</div>'
        text = []
        if line.strip() != "#":
            yield line


def _png(figure: Figure) -> bytes:
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110, metadata={"Software": None})
    return image.getvalue()


# ------------------------------------------------------------------------------------------------
# The API, and how to cite


def _api() -> dict[str, list[str]]:
    """Return the modules with a page, of what students import and of the grader."""
    students = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for folder in STUDENTS_SIDE
        for path in sorted((ROOT / folder).glob("[!_]*.py"))
    ]
    return {"helpers": students, "autograder": list(OUR_SIDE)}


def _api_page(module: str) -> str:
    return f"api/{module}.md"


def _api_pages() -> dict[str, str | bytes]:
    pages: dict[str, str | bytes] = {}
    for modules in _api().values():
        for module in modules:
            pages[_api_page(module)] = f"# {module}\n\n::: {module}\n"
    return pages


def _citation() -> str:
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    authors = " and ".join(author["name"] for author in about["authors"])
    return f"""# How to cite

If this course kit is of use in your teaching or research, please cite it as

```bibtex
@software{{efficient_dl_course,
  title = {{{about["title"]}}},
  author = {{{authors}}},
  version = {{{about["version"]}}},
}}
```

The file `CITATION.cff` of the repository holds the same for programs that read it. The methods that
the assignments teach are not ours: the last section of each notebook lists the papers.
"""
