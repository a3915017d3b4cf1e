"""The matrix products of one inference: how many there are, where, and what they cost."""

__all__ = ["matrix_products", "multiplications"]


def matrix_products(layers: int, heads: int) -> dict[str, int]:
    """Count the matrix products of one inference with a single text.

    The three projections of all heads are one product each. The product of the queries and keys,
    and that of the weights and values, are separate for each head.

    Parameters
    ----------
    layers, heads
        Numbers of blocks, and of heads in each of them.

    Returns
    -------
    dict[str, int]
        ``"query, key, value"``, ``"scores"``, ``"weighted values"``, ``"output projection"`` and
        ``"feed-forward"`` of all blocks together, and ``"next token"``.
    """
    return {
        "query, key, value": 3 * layers,
        "scores": heads * layers,
        "weighted values": heads * layers,
        "output projection": layers,
        "feed-forward": 2 * layers,
        "next token": 1,
    }


def multiplications(
    length: int, *, d: int, heads: int, layers: int, hidden: int, vocabulary: int
) -> dict[str, int]:
    """Count the multiplications of numbers in all matrix products of one inference.

    A product of an (m, k) and a (k, n) matrix takes m * k * n of them, and as many additions.

    Parameters
    ----------
    length
        Number of positions T.
    d, heads, layers, hidden, vocabulary
        As for `helpers.reference.transformer.model.LanguageModel`.

    Returns
    -------
    dict[str, int]
        By the keys of `matrix_products`.
    """
    per_head = length * (d // heads) * length
    return {
        "query, key, value": layers * 3 * length * d * d,
        "scores": layers * heads * per_head,
        "weighted values": layers * heads * per_head,
        "output projection": layers * length * d * d,
        "feed-forward": layers * 2 * length * d * hidden,
        "next token": length * d * vocabulary,
    }
