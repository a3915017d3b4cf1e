"""The autograder of a whole assignment gives the points that `autograder grade` gives."""

import pytest
from on_gradescope import OnGradescope, faults
from small_class import sandbox

from autograder.course import Course
from autograder.gradescope.archive import write_autograder
from autograder.grading.grade import Outcome, grade
from autograder.new_course import new_course
from autograder.releasing.release import make_release
from autograder.reporting.results import read_class
from autograder.samples import sample_class

__all__ = ["sandbox"]  # a fixture

pytestmark = [pytest.mark.slow, pytest.mark.thorough, pytest.mark.timeout(1800)]

ASSIGNMENT = "sparse_linear"
SAMPLES = ["mistakes-1", "solution"]


@pytest.fixture(scope="module")
def course(sandbox, tmp_path_factory):
    """Return a course in which the samples are graded."""
    course = Course(tmp_path_factory.mktemp("class") / "course")
    new_course(course)
    released = make_release(ASSIGNMENT, course)
    sample_class(ASSIGNMENT, released.notebook, course.submitted, trouble=False, mistakes=1)
    assert grade(ASSIGNMENT, course, students=SAMPLES, jobs=2) == list(map(Outcome, SAMPLES))
    return course


@pytest.fixture(scope="module")
def autograder(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gradescope")
    write_autograder(ASSIGNMENT, course, folder / "autograder.zip", "after_due_date")
    return OnGradescope.built(folder / "autograder.zip", folder / "autograder")


@pytest.mark.parametrize("sample", SAMPLES)
def test_each_question_has_the_points_that_grade_gives(course, autograder, sample):
    autograder.hand_in(course.submission(sample, ASSIGNMENT))
    status, results, printed = autograder.run()
    assert status == 0, printed
    assert not faults(results)
    class_results = read_class(ASSIGNMENT, course)
    [graded] = (found for found in class_results.submissions if found.student == sample)
    ours = [graded.results[question.name] for question in class_results.questions]
    assert [test.get("score") for test in results["tests"]] == [
        None if result.waiting else result.score for result in ours
    ]
    assert results["score"] == graded.score
    lost = [
        test for test, result in zip(results["tests"], ours, strict=True) if result.state != "full"
    ]
    assert all(test["output"] for test in lost)
    assert (sample == "solution") == (len(lost) == len(graded.waiting))
