"""One progress bar for notebooks and terminals."""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Here(threading.local):
    quiet = False


_here = _Here()


@contextmanager
def quiet() -> Iterator[None]:
    """Let this thread show no bars: those of threads side by side would overwrite each other."""
    before, _here.quiet = _here.quiet, True
    try:
        yield
    finally:
        _here.quiet = before


def bar(**options: Any) -> Any:
    """Return a tqdm bar: a widget in a notebook, text elsewhere.

    It writes to standard output, because a notebook paints standard error red. Takes the keywords
    of ``tqdm.tqdm``.
    """
    if _here.quiet:
        options["disable"] = True
    with warnings.catch_warnings():
        # Without ipywidgets tqdm falls back to text and warns; the text bar is all we want.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(file=sys.stdout, dynamic_ncols=True, mininterval=0.5, **options)
