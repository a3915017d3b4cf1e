"""The step that writes a submission's grades to nbgrader's gradebook."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveAutoGrades

Resources = dict[str, Any]


class SaveGradesTogether(SaveAutoGrades):
    """Saves the grades of a submission in one transaction.

    nbgrader's own step, which this one replaces, commits after every cell. A grader that is killed
    in between would leave a score that comes partly from this submission and partly from an earlier
    one.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Save the scores of all cells of `nb`, or none of them if anything fails."""
        names = resources["nbgrader"]
        self.notebook_id = names["notebook"]
        self.assignment_id = names["assignment"]
        self.student_id = names["student"]
        with Gradebook(names["db_url"]) as self.gradebook:
            session = self.gradebook.db()
            commit = session.commit
            session.commit = lambda: None  # nbgrader calls it after each cell
            with session.no_autoflush:  # before the end, write nothing and take no lock
                for index, cell in enumerate(nb.cells):
                    self.preprocess_cell(cell, resources, index)
            commit()
        return nb, resources
