"""The step that writes a submission's grades to nbgrader's gradebook."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveAutoGrades

Resources = dict[str, Any]


class SaveGradesTogether(SaveAutoGrades):
    """Saves the grades of a submission in one transaction.

    nbgrader's own step, which it takes the place of, commits after every cell: a grader that is
    killed in between leaves a score that is partly this submission's and partly an earlier one's.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Save what every cell of `nb` got, or nothing if anything fails."""
        names = resources["nbgrader"]
        self.notebook_id = names["notebook"]
        self.assignment_id = names["assignment"]
        self.student_id = names["student"]
        with Gradebook(names["db_url"]) as self.gradebook:
            session = self.gradebook.db()
            commit = session.commit
            session.commit = lambda: None  # what nbgrader calls after each cell
            with session.no_autoflush:  # nothing is written, and no lock taken, before the end
                for index, cell in enumerate(nb.cells):
                    self.preprocess_cell(cell, resources, index)
            commit()
        return nb, resources
