"""nbgrader's configuration of a course: its settings, and the file of nbgrader in its folder."""

import pytest
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from small_course import ASSIGNMENT, small_course, small_notebook, write_source
from traitlets.config import Config

from autograder.configuration import course_config, full_config
from autograder.course import Course
from autograder.errors import UserError
from autograder.grading.nbgrader_steps import GradeInSandbox
from autograder.new_course import new_course
from autograder.releasing.release import make_release


def late_policy(config):
    step = AssignLatePenalties(config=config)
    step.init_plugin()
    return step.plugin_inst


def test_limits_and_late_policy_come_from_the_settings(tmp_path):
    (tmp_path / "course.toml").write_text(
        '[late]\npenalty = "daily"\npercent_per_day = 20\ngrace_hours = 3\n'
        "[limits]\ncell_seconds = 7\nmemory_mib = 2048\n"
    )
    config = course_config(Course(tmp_path))
    step = GradeInSandbox(config=config)
    assert (step.cell_seconds, step.memory_mib) == (7, 2048)
    policy = late_policy(config)
    assert policy.penalty_method == "daily"
    assert (policy.percent_per_day, policy.grace_hours) == (20, 3)


def test_what_nbgraders_own_file_says_counts_for_our_commands_too(tmp_path):
    course = Course(tmp_path)
    new_course(course)
    with (tmp_path / "nbgrader_config.py").open("a") as file:
        file.write('c.LateSubmissionPlugin.penalty_method = "zero"\n')
    assert late_policy(full_config(course)).penalty_method == "zero"
    assert late_policy(course_config(course)).penalty_method == "none"


def test_a_course_without_that_file_has_the_configuration_of_its_settings(tmp_path):
    assert full_config(Course(tmp_path)) == course_config(Course(tmp_path))


def test_a_fault_in_that_file_is_one_sentence(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("import no_such_module")
    with pytest.raises(UserError, match="cannot be run: ModuleNotFoundError"):
        full_config(Course(tmp_path))


def test_a_fault_in_the_settings_is_said_as_such(tmp_path):
    new_course(Course(tmp_path))
    (tmp_path / "course.toml").write_text('profile = "fast"')
    with pytest.raises(UserError, match="profile: 'fast' is not one of"):
        full_config(Course(tmp_path))


def generate(course):
    config = Config(full_config(course))
    config.CourseDirectory.assignment_id = ASSIGNMENT
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    converter.start()


def test_nbgrader_generates_no_release_that_passed_no_audit_and_keeps_ours(tmp_path):
    write_source(tmp_path, small_notebook())
    course = small_course(tmp_path)
    released = make_release(ASSIGNMENT, course)
    files = {path: path.read_bytes() for path in released.folder.rglob("*") if path.is_file()}
    with pytest.raises(NbGraderException, match="autograder release small"):
        generate(course)
    assert {path: path.read_bytes() for path in files} == files


def test_the_link_to_the_sources_is_where_nbgrader_finds_them(tmp_path):
    write_source(tmp_path, small_notebook())
    course = small_course(tmp_path)
    assert course_config(course).CourseDirectory.source_directory == str(course.notebooks)
    new_course(course)
    assert course_config(course).CourseDirectory.source_directory == "source"
    assert make_release(ASSIGNMENT, course).wheel.is_file()
