"""Everything that the cells with hidden tests import from the grader.

A cell reaches the student's code only through `student`.
"""

from autograder.hidden import reference
from autograder.hidden.checks import Check, close, holds, same
from autograder.hidden.compare import difference, largest
from autograder.hidden.demands import levels_changed, pruned_as, scheduled, sparse
from autograder.hidden.distinct import differs_from
from autograder.hidden.fair_draws import fair_draw
from autograder.hidden.figures import drawn_by, draws, figure_panels, titled
from autograder.hidden.fresh import fresh
from autograder.hidden.independence import independent
from autograder.hidden.legends import names_of_lines
from autograder.hidden.networks import home_of, parameters_of
from autograder.hidden.normal import normal
from autograder.hidden.score import Score, score
from autograder.hidden.seeds import seeded
from autograder.hidden.student import (
    Handle,
    StudentError,
    entry,
    gradient,
    set_attribute,
    student,
    value,
)
from autograder.hidden.submitted import submitted
from autograder.hidden.tolerance import accuracy_noise, away_from_ties, roundings
from autograder.hidden.trained import trained
from autograder.hidden.untouched import beyond_untouched
from autograder.hidden.verdict import verdict
from helpers.artifacts import ArtifactError
from helpers.checks.figures import (
    axes_are_named,
    axes_are_swapped,
    lines_are_named,
    loss_and_weights,
    misnamed_weight,
    weights_alone,
)

__all__ = [
    "ArtifactError",
    "Check",
    "Handle",
    "Score",
    "StudentError",
    "accuracy_noise",
    "away_from_ties",
    "axes_are_named",
    "axes_are_swapped",
    "beyond_untouched",
    "close",
    "difference",
    "differs_from",
    "drawn_by",
    "draws",
    "entry",
    "fair_draw",
    "figure_panels",
    "fresh",
    "gradient",
    "holds",
    "home_of",
    "independent",
    "largest",
    "levels_changed",
    "lines_are_named",
    "loss_and_weights",
    "misnamed_weight",
    "names_of_lines",
    "normal",
    "parameters_of",
    "pruned_as",
    "reference",
    "roundings",
    "same",
    "scheduled",
    "score",
    "seeded",
    "set_attribute",
    "sparse",
    "student",
    "submitted",
    "titled",
    "trained",
    "value",
    "verdict",
    "weights_alone",
]
