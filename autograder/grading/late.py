"""What a late hand-in costs: nbgrader's two methods, and a percentage per day."""

from __future__ import annotations

from math import ceil

from nbformat.v4 import new_notebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Enum, Float
from traitlets.config import Config

HOUR, DAY = 3600, 24 * 3600


class LatePolicy(LateSubmissionPlugin):
    """nbgrader's plugin for late hand-ins, with hours of grace and a daily percentage.

    The settings of the course choose the method, see `autograder.settings.Late`.
    """

    penalty_method = Enum(
        ("none", "zero", "daily"),
        default_value="none",
        help="'none', 'zero' (no points are left), or 'daily' (a percentage for each day begun).",
    ).tag(config=True)
    percent_per_day = Float(10.0, help="'daily': percentage of the points earned.").tag(config=True)
    grace_hours = Float(0.0, help="Hours after the due date that cost nothing.").tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Return the points that are taken off.

        Parameters
        ----------
        student_id
            The student.
        score
            The points earned.
        total_seconds_late
            Seconds after the due date, with the student's extension.

        Returns
        -------
        float or None
            None if nothing is taken off.
        """
        late = total_seconds_late - self.grace_hours * HOUR
        if self.penalty_method == "none" or late <= 0:
            return None
        if self.penalty_method == "zero":
            return score
        return min(score, score * self.percent_per_day / 100 * ceil(late / DAY))


def assign_penalty(assignment: str, student: str, config: Config) -> None:
    """Set the penalty of a submission anew, after a person has changed its points.

    Parameters
    ----------
    assignment, student
    config
        nbgrader's configuration of the course.
    """
    names = {"notebook": assignment, "assignment": assignment, "student": student}
    resources = {"nbgrader": {**names, "db_url": config.CourseDirectory.db_url}}
    AssignLatePenalties(config=config).preprocess(new_notebook(), resources)
