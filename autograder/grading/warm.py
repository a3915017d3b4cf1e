"""The template process of a grading run, from which all its workers fork their kernels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from traitlets.config import Config

from autograder.course import Course
from autograder.grading.imported import imported_packages
from autograder.sandbox import template


@contextmanager
def warm_kernels(assignment: str, course: Course, config: Config) -> Iterator[list[int]]:
    """Let kernels be forked from a process that has imported what the assignment's notebook needs.

    Parameters
    ----------
    assignment
    course
    config
        The configuration of the workers, which learn from it where that process is.

    Yields
    ------
    list of int
        The descriptors that workers must inherit; none if kernels are started by themselves.
    """
    settings = config.GradeInSandbox
    if not (settings.get("sandbox", True) and settings.get("warm", True)):
        yield []
        return
    modules = imported_packages(course.source_notebook(assignment))
    if settings.get("scheduler", ""):
        settings.modules = modules  # kernels are forked on the machines of the cluster
        yield []
        return
    with template.started(modules, settings.get("threads", 1)) as process:
        settings.template = process.descriptor
        yield [process.descriptor]
