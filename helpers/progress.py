"""A progress bar for notebooks and terminals."""

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
    """Hide progress bars in this thread; those of parallel threads would overwrite each other."""
    before, _here.quiet = _here.quiet, True
    try:
        yield
    finally:
        _here.quiet = before


def is_quiet() -> bool:
    """Return whether this thread shows no progress at the moment."""
    return _here.quiet


def bar(**options: Any) -> Any:
    """Return a tqdm progress bar: a widget in a notebook, text elsewhere.

    The bar takes the keywords of ``tqdm.tqdm``. It writes to standard output, because a notebook
    shows standard error in red.
    """
    if is_quiet():
        options["disable"] = True
    with warnings.catch_warnings():
        # Without ipywidgets tqdm falls back to text and warns; a text bar is good enough.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(file=sys.stdout, dynamic_ncols=True, mininterval=0.5, **options)
