"""Submissions that try to run a script in the browser of a person who looks at a page.

All their scripts call `steal`, a function that none of our pages contains.
"""

import base64
import json
import os
from pathlib import Path

from hand_ins import HandIn, hostile
from hostile_course import ANSWERS, HISTORY, WEIGHTS, Assignment, grade_id
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

ACTIVE = [
    "<script>steal()</script>",
    "<ScRiPt src=//example.org/steal()></sCrIpT >",
    "<script/x>steal()</script\n>",
    "<img src=x onerror=steal()>",
    "<img src=x:x onerror\n=\nsteal()>",
    '<IMG """><SCRIPT>steal()</SCRIPT>">',
    "<svg/onload=steal()>",
    "<svg><script>steal()</script></svg>",
    "<svg><a xlink:href='javascript:steal()'><text>x</text></a></svg>",
    "<svg><animate onbegin=steal() attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1"
    " onerror=steal()&gt;'>",
    "<math href='javascript:steal()'>x</math>",
    "<body onload=steal()>",
    "<details open ontoggle=steal()>x</details>",
    "<input autofocus onfocus=steal()>",
    "<video><source onerror=steal()></video>",
    "<audio src=x onerror=steal()>",
    "<iframe srcdoc='<script>parent.steal()</script>'></iframe>",
    "<iframe src='javascript:parent.steal()'></iframe>",
    "<object data='javascript:steal()'></object>",
    "<embed src='javascript:steal()'>",
    "<form action='javascript:steal()'><button>x</button></form>",
    "<button formaction='javascript:steal()'>x</button>",
    "<isindex type=image src=1 onerror=steal()>",
    "<meta http-equiv=refresh content='0;url=javascript:steal()'>",
    "<base href='javascript:steal()//'>",
    "<link rel=stylesheet href='javascript:steal()'>",
    "<style>@import 'javascript:steal()'; body {display: none}</style>",
    "<p style='background:url(javascript:steal())'>x</p>",
    "<p style='width: expression(steal())'>x</p>",
    "<a href='javascript:steal()'>x</a>",
    "<a href=' &#1; JaVa&#09;script:steal()'>x</a>",
    "<a href='java\nscript:steal()'>x</a>",
    "<a href='vbscript:steal()'>x</a>",
    "<a href='data:text/html,<script>parent.steal()</script>'>x</a>",
    "<a href='&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74:steal()'>x</a>",
    "<noscript><p title='</noscript><img src=x onerror=steal()>'></p></noscript>",
    "<textarea></textarea><img src=x onerror=steal()>",
    "<title></title><img src=x onerror=steal()>",
    "<xmp><p title='</xmp><img src=x onerror=steal()>'></xmp>",
    "<template><script>steal()</script></template>",
    "<!--><img src=x onerror=steal()>-->",
    "<![CDATA[><img src=x onerror=steal()>]]>",
    "<?xml ?><img src=x onerror=steal()>",
    "</pre></div></main><script>steal()</script>",
    "--></style></script></title></textarea><script>steal()</script>",
    "\"'><img src=x onerror=steal()>",
    "<a id=location name=steal href='javascript:steal()'>x</a>",
    "{{ steal() }} {% raw %} ${steal()}",
    "\x00<script>steal()</script>",
    "\ufeff<scr\x00ipt>steal()</scr\x00ipt>",
    "＜script＞steal()＜/script＞",
]
"""Active HTML, in the ways that browsers understand."""

MARKDOWN = [
    "[x](javascript:steal())",
    "[x](<java\tscript:steal()>)",
    "[x](data:text/html;base64,PHNjcmlwdD5zdGVhbCgpPC9zY3JpcHQ+)",
    "[x][1]\n\n[1]: javascript:steal()",
    "<javascript:steal()>",
    '![x](x"onerror="steal())',
    "![x](x 'x\" onerror=\"steal()')",
    "![x](attachment:x.svg)",
    "`<script>steal()</script>`",
    "```html\n<script>steal()</script>\n```",
    "```<img/src=x/onerror=steal()>\nx\n```",
    '```mermaid\ngraph TD; A-->B; click A href "javascript:steal()"\n```',
    "    <script>steal()</script>",
    "$$\\href{javascript:steal()}{x}$$ $\\unicode{<img src=x onerror=steal()>}$",
    "$<script>steal()</script>$",
    "\\begin{align}</script><script>steal()</script>\\end{align}",
    "\\(<img src=x onerror=steal()>\\)",
    "# <img src=x onerror=steal()>",
    "| <script>steal()</script> |\n|---|\n| [x](javascript:steal()) |",
    "[^<script>steal()</script>]: x",
    'http://example.org/"onmouseover="steal()',
]

EVERYTHING = "\n\n".join([*ACTIVE, *MARKDOWN])


@hostile("total")
def scripts_in_markdown(a: Assignment):
    """Write scripts into headings, prose, links, formulas, attachments and the written answer."""
    nb = a.notebook(honest=["total"], written=EVERYTHING)
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='steal()'/>").decode()
    attachments = {
        "x.svg": {"image/svg+xml": svg},
        'x" onerror="steal()': {"image/png": '" onerror="steal()'},
        "x.html": {"text/html": "<script>steal()</script>"},
    }
    for piece in [*ACTIVE, *MARKDOWN]:
        nb.cells.append(new_markdown_cell(piece, attachments=attachments))
    nb.cells[0].source = "# <script>steal()</script>\n\n" + EVERYTHING
    return nb


@hostile("total")
def scripts_in_code(a: Assignment):
    """Write scripts into sources, comments and raw cells, and into the languages of magics."""
    nb = a.notebook(honest=["total"], double="'''" + EVERYTHING + "'''\n")
    nb.cells += [new_code_cell("# " + piece) for piece in ACTIVE]
    nb.cells += [
        new_code_cell(f"%%{magic}\n{ACTIVE[0]}{ACTIVE[3]}")
        for magic in ("html", "javascript", "svg", "latex", "markdown", "script", "<img>")
    ]
    for kind in ("text/html", "text/markdown", "application/javascript", "text/x-python"):
        nb.cells.append(new_raw_cell(EVERYTHING, metadata={"raw_mimetype": kind, "format": kind}))
    return nb


MIME_TYPES = [
    "text/html", "text/markdown", "text/latex", "text/plain", "image/svg+xml", "image/png",
    "image/jpeg", "image/gif", "application/javascript", "text/javascript", "application/json",
    "application/pdf", "application/vnd.jupyter.widget-view+json", "application/vnd.plotly.v1+json",
    "application/vnd.vega.v5+json", "application/vnd.bokehjs_exec.v0+json", "text/vnd.mermaid",
    "application/xhtml+xml", "text/html;charset=utf-7", "<img src=x onerror=steal()>",
]  # fmt: skip


@hostile("total", says="printed <script>")
def scripts_in_outputs(a: Assignment):
    """Show scripts as outputs of every type, together and one by one, with odd metadata."""
    show = f"""
import sys
from IPython.display import display
active = {[*ACTIVE, *MARKDOWN]!r}
odd = {{"width": '"><script>steal()</script>', "height": "1 onload=steal()", "alt": active[0],
       "isolated": True, "needs_background": '"><script>steal()</script>', "unconfined": active[0]}}
for kind in {MIME_TYPES!r}:
    for piece in ["\\n".join(active), *active]:
        display({{kind: piece}}, metadata={{kind: odd, **odd}}, raw=True)
print("printed <script>steal()</script>")
print("\\n".join(active), file=sys.stderr)
"""
    forged = new_code_cell("1", id="forged")
    forged.outputs = [new_output("display_data", {kind: ACTIVE[0]}) for kind in MIME_TYPES[:9]]
    nb = a.notebook(show, honest=["total"])
    nb.cells.append(forged)
    return nb


@hostile("total", says="ANSI")
def scripts_in_errors(a: Assignment):
    """Name errors, types and functions with scripts, which messages and tracebacks then quote."""
    errors = f"""
active = {ACTIVE!r}
def error(text): return type(text, (Exception,), {{"__str__": lambda self: text}})(text)
def named(text): return type(text, (), {{"__repr__": lambda self: text}})()
print("\\x1b[31mANSI\\x1b]8;;javascript:steal()\\x07x\\x1b]8;;\\x07\\x1b[38;5;1;2;3;4m" + active[0])
print("\\x1b[0m\\x9b31m\\x85\\u2028\\u202e" + active[3] + "\\x08\\x07\\r")
"""
    raising = [f"raise error(active[{number}])" for number in range(len(ACTIVE))]
    return a.notebook(
        errors,
        *raising[::4],
        f"exec(compile('1/0', {ACTIVE[3]!r}, 'exec'))",
        f"get_ipython()._showtraceback({ACTIVE[0]!r}, {ACTIVE[3]!r}, [{EVERYTHING!r}])",
        honest=["total"],
        double="def double(w): raise error(active[len(w) % len(active)])",
        cube="def cube(x): return {active[0]: named(active[3])}",
        bars="def bars(heights): raise error('\\n'.join(active) + '\\x1b[2J\\x07')",
    )


@hostile()
def scripts_in_answers(a: Assignment):
    """Answer with scripts where a message quotes the answer."""
    return a.notebook(
        total="total = '<img src=x onerror=steal()>'",
        double="def double(w): return '<script>steal()</script>' if len(w) > 1 else 'x`<b>`'",
        cube="def cube(x): return ['<svg/onload=steal()>\\x1b[31m']",
        bars="def bars(heights): return {'</style><script>steal()</script>': 1}",
    )


@hostile("total")
def scripts_in_replies(a: Assignment):
    """Send forged errors, with scripts and control characters in every field."""
    forge = f"""
import inside.wire as wire
genuine = wire.send
text = {EVERYTHING!r} + "\\x1b[31m\\x00"
def send(connection, message):
    if "value" in message and message["value"] != 20.0:
        message = {{"error": {{"type": text, "text": text}}}}
    genuine(connection, message)
wire.send = send
"""
    return a.notebook(forge, honest=["total", "double"])


@hostile("total")
def scripts_in_metadata(a: Assignment):
    """Write scripts into the title, the authors, the kernel, the language, tags and names."""
    nb = a.notebook(honest=["total"])
    active = ACTIVE[0] + ACTIVE[3] + "\"'><script>steal()</script>"
    nb.metadata.update(
        title=active,
        authors=[{"name": active}],
        kernelspec={"name": active, "display_name": active, "language": active},
        language_info={
            "name": active,
            "codemirror_mode": {"name": active},
            "pygments_lexer": active,
            "mimetype": "text/html",
            "file_extension": active,
        },
        widgets={"application/vnd.jupyter.widget-state+json": {"state": {active: active}}},
    )
    for cell in nb.cells:
        if not grade_id(cell):
            cell.metadata.update(tags=[active], name=active, slideshow={"slide_type": active})
            cell.metadata["nbgrader"] = {"grade_id": active, "grade": True, "points": active}
        else:
            cell.metadata["nbgrader"]["cell_type"] = active
            cell.metadata["nbgrader"]["checksum"] = active
    text = json.dumps(nb)
    for cell in nb.cells:
        text = text.replace(f'"id": "{cell.id}"', f'"id": "{cell.id}-onload-steal"')
    return HandIn(text.encode())


FILE = "<img src=x onerror=steal()>"


@hostile("total", flag="<img src=x onerror=steal")
def scripts_in_file_names(a: Assignment):
    """Use scripts as names of files, folders and the notebook; some of them are reported."""

    def arrange(folder: Path) -> None:
        (folder / "doubling.ipynb").rename(folder / f"{FILE}.ipynb")
        os.mkfifo(folder / f"{FILE}.pipe")
        (folder / f"\x1b[31m{FILE}").write_bytes(b"")
        (folder / "javascript:steal()").symlink_to("/etc/passwd")
        (folder / f"{FILE}\n").mkdir()
        (folder / f"{FILE}\n" / "x").write_bytes(b"")

    files = {WEIGHTS: b"<script>steal()</script>", HISTORY: b'{"<script>steal()</script>": 1}'}
    return HandIn(a.notebook(honest=["total"]), files, arrange)


@hostile("total")
def pages_for_files(a: Assignment):
    """Submit pages that run scripts, and link to them from the written answer."""
    names = ["page.html", "page.svg", "page.xhtml", "page.js", "artifacts/page.html", "page.pdf"]
    written = " ".join(f"[{name}]({name})" for name in names) + ACTIVE[3]
    files = dict.fromkeys(names, "\n".join(ACTIVE).encode())
    return HandIn(a.notebook(honest=["total"], written=written), files)


PROSE = ["*a ", "[", "![", "`", "<", "<!--", "> ", "- ", "_a_", "$", "&#1;", "[a](", "|a", "\n#"]


@hostile("total")
def texts_that_take_long(a: Assignment):
    """Write prose, code and outputs whose formatting takes time quadratic in their length."""
    nb = a.notebook(
        "print('\\x1b[31m' * 100_000)",
        "print('<style ' * 30_000)",
        "from IPython.display import HTML, display\n"
        "for tag in ('<style ', '<b>', '<table><p>'): display(HTML(tag * 30_000))",
        honest=["total"],
    )
    nb.cells += [new_markdown_cell(piece * (40_000 // len(piece))) for piece in PROSE]
    nb.cells += [new_raw_cell("<b>" * 100_000), new_code_cell("# " + "'{" * 20_000)]
    nb.cells += [new_code_cell("x = " + piece * 5_000) for piece in ("(", '"""', "f'{", "0_", "-")]
    return nb


def _only_its_name(a: Assignment) -> HandIn:
    return HandIn(a.notebook(honest=["total"]))


@hostile("total", folder="<img src=x onerror=steal()>", flag="was called <img src=x onerror=steal")
def script_for_a_name(a: Assignment):
    """Have a name that is HTML, for the formgrader's tables."""
    return _only_its_name(a)


@hostile("total", folder='"-steal()-"\'`${steal()}\\', flag="was called")
def script_for_a_name_in_code(a: Assignment):
    """Have a name that ends a string, for the formgrader's own scripts."""
    return _only_its_name(a)


@hostile("total", folder="h[aeiou]*?est", flag="was called")
def pattern_for_a_name(a: Assignment):
    """Have a name that matches those of others, for nbgrader's globbing."""
    return _only_its_name(a)


@hostile("total", folder="=cmd|' C calc'!A0", flag="was called")
def formula_for_a_name(a: Assignment):
    """Have a name that a spreadsheet computes."""
    return _only_its_name(a)


@hostile("total", folder="-rf\x1b[31m\n\udcff\u202e", flag="was called")
def control_characters_for_a_name(a: Assignment):
    """Have a name with an option, control characters and an invalid byte."""
    return _only_its_name(a)


@hostile("total", says="drawn")
def plots_of_scripts(a: Assignment):
    """Have scripts in the words of a figure, and a figure saved as SVG."""
    plot = f"""
import matplotlib.pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats
set_matplotlib_formats("svg", "png")
figure, axes = plt.subplots()
axes.set_title({ACTIVE[3]!r}, url="javascript:steal()")
axes.plot([1, 2, 3], label={ACTIVE[0]!r})
axes.legend()
plt.show()
print("drawn")
"""
    return a.notebook(plot, honest=["total"])


@hostile(*ANSWERS)
def honest_words_about_scripts(a: Assignment):
    """Write about scripts honestly, which must not be taken for an attack."""
    nb = a.notebook(honest=ANSWERS, written="A `<script>` runs, `onerror=` too, $a<b$ does not.")
    nb.cells.append(new_markdown_cell("javascript: is a scheme; x < y and y > z."))
    return nb
