"""Run one of nbgrader's converters, and say why if it fails."""

from __future__ import annotations

import logging
import re
from typing import Any

from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

_EXCEPTION = re.compile(r"^[\w.]+: .+$", re.MULTILINE)
"""The line below a traceback that names the exception; its message may have further lines."""


class ConverterError(Exception):
    """One of nbgrader's converters failed; the message says why."""


class _Errors(logging.Handler):
    """Keeps the errors of a log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._errors: list[str] = []

    @property
    def reason(self) -> str:
        """The exception of the first traceback, or else the last line of the first error."""
        for error in self._errors:
            if "Traceback" in error and (raised := _EXCEPTION.findall(error)):
                return raised[-1]
        return self._errors[0].strip().splitlines()[-1] if self._errors else ""

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(record.getMessage())


def convert(step: Any, assignment: str, student: str, config: Config) -> None:
    """Run a converter, such as `nbgrader.converters.Autograde`, on one submission.

    Parameters
    ----------
    step
        The class of the converter.
    assignment, student
        Whose submission to convert. What an earlier run wrote is replaced.
    config
        nbgrader's configuration of the course.

    Raises
    ------
    ConverterError
        If the converter fails.
    """
    for name in ("traitlets", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # Here nbgrader's gradebook prints a traceback of each exception that it also raises.
    logging.getLogger("tornado.application").setLevel(logging.CRITICAL)
    coursedir = CourseDirectory(config=config)
    coursedir.assignment_id = assignment
    coursedir.student_id = student
    converter = step(coursedir=coursedir, config=config)
    converter.force = True
    run_converter(converter)


def run_converter(converter: Any) -> None:
    """Start a converter without its log.

    Raises
    ------
    ConverterError
        If it fails; the message is the reason. nbgrader's own message refers to the log.
    """
    log = _Errors()
    converter.log = logging.Logger("converter")
    converter.log.addHandler(log)
    try:
        converter.start()
    except NbGraderException as error:
        raise ConverterError(log.reason or str(error)) from error
