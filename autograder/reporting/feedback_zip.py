"""Pack the feedback pages of a class into one zip, which Canvas, Moodle or Sakai deals out.

Each system tells by the names in the zip which student a file is for, so they follow from the names
that the hand-ins had when they were imported.

References
----------
Canvas
    *Upload Submissions* of an assignment in the Gradebook takes the first two parts of a name that
    are numbers (parts end with ``_``) for the user and for a file that this user handed in, and
    shows the new file under the name of the old one (`infer_comment_context_from_filename` in
    app/models/abstract_assignment.rb of instructure/canvas-lms). So a page that answers a zip is
    packed into one.
Moodle
    *Upload multiple feedback files in a zip* takes the second part for the participant, in
    ``<full name>_<user>_assignsubmission_file/<file>`` (`is_valid_filename_for_import` in
    mod/assign/feedback/file/importziplib.php of moodle/moodle).
Sakai
    *Upload All* takes what stands in parentheses for the user, in
    ``<assignment>/<Last, First(user)>/Feedback Attachment(s)/<file>`` (`doUpload_all` in
    AssignmentAction.java of sakaiproject/sakai).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.intake import systems
from autograder.grading.intake.known_entries import known_entries
from autograder.grading.unfinished import unfinished
from autograder.reporting.results import read_class
from helpers.files import replacing


@dataclass(frozen=True)
class FeedbackZip:
    """A zip with the feedback of a class.

    Attributes
    ----------
    path
        The file.
    system
        The name of the system that can import it.
    packed
        The students whose feedback is in it.
    without
        Students with a submission but without a feedback page, or whose page may be out of date
        because grading them is not finished.
    unnamed
        Students whose feedback the system could not assign: no name of a hand-in is known for them.
    """

    path: Path
    system: str
    packed: tuple[str, ...]
    without: tuple[str, ...]
    unnamed: tuple[str, ...]


Match = re.Match[str]
Named = tuple[str, bool]
"""The name of a file in the zip, and whether it is a zip itself, which holds the page."""


def _canvas(assignment: str, found: Sequence[Match]) -> Named | None:
    # A text has no number. The highest number is that of the last upload.
    files = [match for match in found if match["number"]]
    if not files:
        return None
    zips = [match for match in files if match["file"].lower().endswith(".zip")]
    newest = max(zips or files, key=lambda match: int(match["number"]))
    # With this ending, Canvas serves a page as a page, whatever it calls it.
    return (newest[0], True) if zips else (f"{newest[0]}.html", False)


def _moodle(assignment: str, found: Sequence[Match]) -> Named | None:
    for match in (match for match in found if match["user"]):  # not of a group without a number
        name = match["name"].replace("_", " ")  # the number must be the second part
        return f"{name}_{match['user']}_assignsubmission_file/{assignment}-feedback.html", False
    return None


def _sakai(assignment: str, found: Sequence[Match]) -> Named | None:
    for match in found:
        folder = f"{assignment}/{match['name']}({match['user']})/Feedback Attachment(s)"
        return f"{folder}/{assignment}-feedback.html", False
    return None


SYSTEMS: dict[str, Callable[[str, Sequence[Match]], Named | None]] = {
    "Canvas": _canvas,
    "Moodle": _moodle,
    "Sakai": _sakai,
}
"""By system, what returns the name for a student's feedback, given those of the hand-ins."""


def pack_feedback(assignment: str, course: Course, archive: Path) -> FeedbackZip:
    """Pack the feedback pages of all graded submissions of an assignment.

    Parameters
    ----------
    assignment
    course
        Its hand-ins must have been imported from what Canvas, Moodle or Sakai gave out.
    archive
        The zip. It is replaced if it is there.

    Raises
    ------
    UserError
        If the hand-ins came from no such system, if there is no page to pack, or if the zip cannot
        be written.
    autograder.reporting.results.NothingGraded
        If nothing has been graded.
    """
    results = read_class(assignment, course)
    known = known_entries(course.submitted, assignment)
    if known.system not in SYSTEMS:
        raise UserError(
            f"The feedback of {assignment} cannot be packed: a page needs the name that Canvas, "
            "Moodle or Sakai gave to the student's hand-in, and these hand-ins "
            + (f"came from {known.system}" if known.system else "came from none of the three")
            + ". Download the hand-ins from the system that is to give out the feedback, import "
            f"them with `autograder grade {assignment} --from DOWNLOAD`, and give this command "
            "again."
        )
    name_for = SYSTEMS[known.system]
    [pattern] = (system.pattern for system in systems.SYSTEMS if system.name == known.system)
    left = unfinished(assignment, course)
    files, without, unnamed = {}, [], []
    for student in (submission.student for submission in results.submissions):
        page = course.feedback_page(student, assignment)
        found = [
            match for entry in known.of.get(student, []) if (match := pattern.fullmatch(entry))
        ]
        if student in left or not page.is_file():
            without.append(student)
        elif named := name_for(assignment, found):
            files[student] = (*named, page)
        else:
            unnamed.append(student)
    if not files:
        raise UserError(
            f"There is no feedback page to pack: `autograder grade {assignment}` writes them."
        )
    try:
        with replacing(archive) as new, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, is_zip, page in files.values():
                content = page.read_bytes()
                packed.writestr(name, _zipped(page.name, content) if is_zip else content)
    except OSError as error:
        raise UserError(f"{archive} cannot be written: {error.strerror}.") from error
    return FeedbackZip(archive, known.system, tuple(files), tuple(without), tuple(unnamed))


def _zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()
