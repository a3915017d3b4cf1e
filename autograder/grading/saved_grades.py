"""The step that writes a submission's grades to nbgrader's gradebook."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveAutoGrades

from autograder.grading.answers import answer_digests
from autograder.grading.record import Record

Resources = dict[str, Any]


class SaveGradesTogether(SaveAutoGrades):
    """Saves the grades of a submission in one transaction.

    nbgrader's own step, which this one replaces, commits after every cell. A grader that is killed
    in between would leave a score that comes partly from this submission and partly from an earlier
    one.

    nbgrader also asks a person to look at every score again that a person has given. This step does
    so only where the answer, or the score that the grader gives it, has changed since a person
    looked at it.

    A question whose hidden test reached no result has no score and waits for a person, as a written
    answer does.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Save the scores of all cells of `nb`, or none of them if anything fails."""
        names = resources["nbgrader"]
        self.notebook_id = names["notebook"]
        self.assignment_id = names["assignment"]
        self.student_id = names["student"]
        record = Record.read(nb)
        answers = answer_digests(nb)
        with Gradebook(names["db_url"]) as self.gradebook:
            session = self.gradebook.db()
            commit = session.commit
            session.commit = lambda: None  # nbgrader calls it after each cell
            with session.no_autoflush:  # before the end, write nothing and take no lock
                notebook = self.gradebook.find_submission_notebook(
                    self.notebook_id, self.assignment_id, self.student_id
                )
                before = {grade.name: grade.auto_score for grade in notebook.grades}
                waited = {grade.name: grade.needs_manual_grade for grade in notebook.grades}
                for index, cell in enumerate(nb.cells):
                    self.preprocess_cell(cell, resources, index)
                for grade in notebook.grades:
                    question = record.questions.get(grade.name)
                    if question is not None and not question.judged:
                        grade.auto_score, grade.needs_manual_grade = None, True
                    same_score = before[grade.name] == grade.auto_score
                    same_answer = record.answers.get(grade.name) == answers.get(grade.name, "")
                    if grade.manual_score is not None and same_answer and same_score:
                        grade.needs_manual_grade = waited[grade.name]
            commit()
        record.answers = answers
        record.write(nb)
        return nb, resources
