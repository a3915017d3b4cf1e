"""Groups of answers that are nearly the same, so that they can get the same mark together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_extraction.text import TfidfVectorizer

from autograder.marking.answers import Answer

ALIKE = 0.7
"""How alike any two answers of a group are at least: the cosine between their words and pairs of
words, 1 for the same words in any order."""
COMPARED = 5_000
"""How many characters of an answer are compared; model answers have at most 1,400."""


@dataclass(frozen=True)
class Group:
    """Answers that stand together on the page."""

    title: str
    answers: tuple[Answer, ...]
    alike: bool = True


def grouped(answers: Sequence[Answer]) -> list[Group]:
    """Return all answers in groups: empty ones, then those that are alike, then the others.

    Parameters
    ----------
    answers
        Their order is kept within each group.
    """
    empty = tuple(answer for answer in answers if answer.empty)
    groups = _alike([answer for answer in answers if not answer.empty])
    several = sorted((group for group in groups if len(group) > 1), key=len, reverse=True)
    alone = {group[0].key for group in groups if len(group) == 1}
    found = [Group("No answer", empty)] if empty else []
    found += [
        Group(f"Group {number}: {len(group)} answers, nearly the same", group)
        for number, group in enumerate(several, start=1)
    ]
    if others := tuple(answer for answer in answers if answer.key in alone):
        found.append(Group("Other answers" if found else "All answers", others, alike=False))
    return found


def _alike(answers: Sequence[Answer]) -> list[tuple[Answer, ...]]:
    texts = [answer.written.text[:COMPARED] for answer in answers]
    words = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", ngram_range=(1, 2), sublinear_tf=True)
    if len(answers) < 2:
        return [(answer,) for answer in answers]
    distances = 1 - (vectors := words.fit_transform(texts)).dot(vectors.T).toarray()
    clusters = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="complete", distance_threshold=1 - ALIKE
    ).fit_predict(distances.clip(0, 2))
    found: dict[int, list[Answer]] = {}
    for answer, cluster in zip(answers, clusters, strict=True):
        found.setdefault(cluster, []).append(answer)
    return [tuple(group) for group in found.values()]
