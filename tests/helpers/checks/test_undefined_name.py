"""A name that the cell of a check lacks is explained; other errors are left as they are."""

import linecache
import types

import pytest

from helpers.checks.undefined import _explain

CHECK = "checks.half(half)"
IN_A_FUNCTION = "checks.half((lambda: half)())"


class Shell:
    """What an explanation needs of an IPython shell."""

    def __init__(self):
        self.user_ns = {"checks": types.SimpleNamespace(half=print)}
        self.boxes, self.errors = [], []
        self.display_pub = types.SimpleNamespace(publish=self.boxes.append)

    def showtraceback(self, error, tb_offset=None):
        self.errors.append(error)

    def run(self, source, code_name):
        """Run a cell whose code has this name, as that of some versions of IPython."""
        file = f"cell {len(linecache.cache)}"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        code = compile(source, file, "exec").replace(co_name=code_name)
        try:
            exec(code, self.user_ns, self.user_ns)
        except NameError as error:
            _explain(self, NameError, error, error.__traceback__)
        finally:
            del linecache.cache[file]


@pytest.mark.parametrize("code_name", ["<module>", "<cell line: 0>", "<cell line: 1>"])
def test_the_cell_of_a_check_is_recognised_in_every_version_of_ipython(code_name):
    shell = Shell()
    shell.run(CHECK, code_name)
    (box,) = shell.boxes
    assert "`half` does not exist yet" in box["text/plain"]
    assert not shell.errors


@pytest.mark.parametrize("source", [IN_A_FUNCTION, "half"])
def test_an_error_elsewhere_is_shown_as_usual(source):
    shell = Shell()
    shell.run(source, "<cell line: 0>")
    assert (len(shell.boxes), len(shell.errors)) == (0, 1)
