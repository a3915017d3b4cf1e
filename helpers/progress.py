"""One progress bar for notebooks and terminals."""

import sys
import warnings
from typing import Any


def bar(**options: Any) -> Any:
    """Return a tqdm bar: a widget in a notebook, text elsewhere.

    It writes to standard output, because a notebook paints standard error red. Takes the keywords
    of ``tqdm.tqdm``.
    """
    with warnings.catch_warnings():
        # Without ipywidgets tqdm falls back to text and warns; the text bar is all we want.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(file=sys.stdout, dynamic_ncols=True, mininterval=0.5, **options)
