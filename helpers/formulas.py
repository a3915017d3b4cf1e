r"""Formulas as MathML, which browsers show by themselves: no page needs a network for them."""

from html import escape

__all__ = ["as_mathml"]


def as_mathml(latex: str, *, display: bool) -> str:
    r"""Return a formula as MathML, or its text as code if it is not understood.

    Parameters
    ----------
    latex
        The formula without its dollar signs, such as ``"\\frac{1}{2}"``.
    display
        Whether it has a line of its own.
    """
    # Imported here, because most of those who import this need no formula.
    from latex2mathml.converter import convert

    try:
        return convert(latex, display="block" if display else "inline")
    except Exception:  # each mistake in a formula raises an error of another kind
        return f"<code>{escape(latex)}</code>"
