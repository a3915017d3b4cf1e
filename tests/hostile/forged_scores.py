"""Submissions that change the functions for comparing and scoring in their own process."""

from hand_ins import hostile
from hostile_course import Assignment

EQUAL = """
class Equal(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __sub__(self, other): return Equal(0)
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __pow__ = __sub__
    def __abs__(self): return Equal(0)
    def __float__(self): return 0.0
    def __bool__(self): return True
    def __repr__(self): return "20.0"
    def __getattr__(self, name): return Equal(0)
    def __getitem__(self, key): return Equal(0)
    def __call__(self, *args, **kwargs): return Equal(0)
    __hash__ = None
"""


@hostile(says="all say yes")
def patched_tests(a: Assignment):
    """Make every assertion and comparison of numpy, torch, unittest and Python say yes."""
    patch = """
import builtins, math, operator, unittest
import numpy as np, torch
def yes(*args, **kwargs): return True
for module in (np.testing, torch.testing, unittest.TestCase):
    for name in dir(module):
        if name.startswith("assert"):
            setattr(module, name, lambda *args, **kwargs: None)
np.allclose = np.array_equal = np.isclose = np.all = math.isclose = yes
torch.allclose = torch.equal = torch.isclose = yes
for name in ("eq", "ne", "lt", "le", "gt", "ge"): setattr(operator, name, yes)
builtins.AssertionError = type("Never", (BaseException,), {})
builtins.abs = builtins.round = lambda *args: 0
print("all say yes")
"""
    return a.notebook(patch, total="total = 7", double="def double(w): return w")


@hostile(says="patched")
def patched_grader(a: Assignment):
    """Replace everything that is named like a part of the grader, in every loaded module."""
    patch = """
import sys
def score(*checks, of): return of
for module in list(sys.modules.values()):
    for name in ("score", "same", "close", "holds", "difference", "trained", "panel", "value"):
        try: setattr(module, name, lambda *args, **kwargs: 1000.0)
        except Exception: pass
get_ipython().user_ns.update(score=score, student=score, reference=score)
sys.modules["autograder"] = sys.modules["autograder.hidden"] = sys.modules[__name__]
print("patched")
"""
    return a.notebook(patch, total="total = 1000.0")


@hostile(says="True")
def lying_numbers(a: Assignment):
    """Answer with a callable number that equals every other, at a distance of zero."""
    return a.notebook(
        EQUAL,
        "print(Equal(5) == 20)",
        total="total = Equal(5)",
        double="double = Equal(5)",
        cube="cube = Equal(5)",
        bars="bars = Equal(5)",
    )


@hostile(says="all equal")
def lying_arrays(a: Assignment):
    """Answer with arrays and tensors that equal every other and lie about shape, type and bytes."""
    lies = """
import torch

class Array(np.ndarray):
    def __eq__(self, other): return True
    def __sub__(self, other): return np.zeros(5)
    __rsub__ = __add__ = __radd__ = __sub__
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return np.zeros(5)
    def __array_function__(self, function, types, args, kwargs): return True
    def astype(self, *args, **kwargs): return self
    def tobytes(self, *args): return b""
    def __len__(self): return 5

class Shapeless(Array):
    shape = property(lambda self: (2**62, 2**62))
    dtype = property(lambda self: np.dtype("float64"))

class Tensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None): return True

assert np.zeros(3).view(Array) == 7
print("all equal")
"""
    return a.notebook(
        lies,
        total="total = np.zeros(1).view(Array)",
        double=(
            "def double(w): return np.zeros(w.shape, w.dtype).view(Shapeless if len(w) > 1 else"
            " Array)"
        ),
        cube="def cube(x): return torch.zeros(3).as_subclass(Tensor)",
        bars="def bars(heights): return np.zeros(3).view(Array)",
    )


@hostile(says="1000")
def input_transformers(a: Assignment):
    """Rewrite every later cell to code that shows 1000 points, as text and as a syntax tree."""
    rewrite = """
import ast
shell = get_ipython()
forged = ["score = lambda *checks, of: of\\n", "print(1000.0)\\n", "1000.0\\n"]
class Rewrite(ast.NodeTransformer):
    def visit_Module(self, tree): return ast.parse("".join(forged))
shell.ast_transformers.append(Rewrite())
shell.input_transformers_cleanup.append(lambda lines: forged)
shell.input_transformers_post.append(lambda lines: forged)
"""
    return a.notebook(rewrite, honest=["total", "double"])


@hostile(says="2.0")
def hooks_around_cells(a: Assignment):
    """Show points before and after each cell, and in place of its output."""
    hooks = """
import sys
from IPython.display import display
shell = get_ipython()
def show(*args, **kwargs):
    print("2.0")
    display({"text/plain": "1000.0"}, raw=True)
for event in ("pre_execute", "pre_run_cell", "post_execute", "post_run_cell"):
    shell.events.register(event, show)
shell.display_formatter.format = lambda *args, **kwargs: ({"text/plain": "1000.0"}, {})
type(shell.displayhook).__call__ = show
"""
    return a.notebook(hooks, total="total = 7\ntotal", double="1000.0")


@hostile("total", says="it runs")
def replaced_shell(a: Assignment):
    """Replace IPython's `run_cell`, so that each later cell only shows forged points."""
    replace = """
shell = get_ipython()
outputs = type(shell.displayhook).write_format_data.__globals__["OUTPUTS"]
def run_cell(self, source, **kwargs):
    data = {"text/plain": "1000.0", "text/html": "<b>4 of 4 points</b>"}
    outputs.add({"output_type": "execute_result", "execution_count": 1, "data": data,
                 "metadata": {}})
print("it runs")
type(shell).run_cell = run_cell
total = 20.0
"""
    return a.notebook(replace, honest=["double"])


@hostile("total", says="0 of 5 and more")
def answers_by_the_number_of_the_call(a: Assignment):
    """Answer every call with what would have been right for the call before it."""
    count = """
calls = []
def before(f):
    def answer(x):
        calls.append(x)
        return f(calls[-2]) if len(calls) > 1 else f(x) * 0 + 7
    return answer
print("0 of 5 and more")
"""
    return a.notebook(
        count,
        honest=["total"],
        double="double = before(lambda w: w + w)",
        bars="@before\ndef bars(heights): return [len(calls)]",
    )


@hostile("total", says="helpers: True")
def patched_helpers(a: Assignment):
    """Replace every function of `helpers`, on which the grader relies on its own side, too."""
    patch = """
import importlib, pkgutil, sys
import helpers
def yes(*args, **kwargs): return True
for found in pkgutil.walk_packages(helpers.__path__, "helpers."):
    try: importlib.import_module(found.name)
    except Exception: continue
patched = 0
for name, module in list(sys.modules.items()):
    if name.startswith("helpers"):
        for attribute in [n for n in vars(module) if callable(getattr(module, n))]:
            setattr(module, attribute, yes)
            patched += 1
print("helpers:", patched > 20)
"""
    return a.notebook(patch, honest=["total"], double="def double(w): return w")


@hostile(says="any list")
def lying_lists(a: Assignment):
    """Answer with lists, tuples, dicts and texts that equal all others and lie about length."""
    lies = """
def liar(kind):
    def yes(self, *args): return True
    names = ("__eq__", "__ge__", "__le__", "__contains__")
    return type(kind.__name__, (kind,), {**dict.fromkeys(names, yes), "__hash__": kind.__hash__,
                                         "__len__": lambda self: 5, "__bool__": yes})
List, Tuple, Dict, Text = map(liar, (list, tuple, dict, str))
assert List() == [2.0, 4.0]
print("any list")
"""
    return a.notebook(
        lies,
        total="total = Text('20.0')",
        double="def double(w): return List([0.0] * len(w))",
        cube="def cube(x): return Tuple((0.0,))",
        bars="def bars(heights): return Dict()",
    )
