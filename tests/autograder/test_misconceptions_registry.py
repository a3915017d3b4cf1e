import pytest

from autograder import misconceptions as registry
from autograder.misconceptions import (
    Misconception,
    misconception,
    misconceptions_in,
    misconceptions_of,
)


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})


def double(x):
    return 2 * x


def twin_of_double(x):
    return 2 * x


def test_wrong_solutions_are_found_by_their_reference_in_order():
    @misconception(of=double)
    def squares(x):
        """You square."""
        return x**2

    @misconception(of=double)
    def adds(x):
        """You add 2."""
        return x + 2

    assert [m.wrong for m in misconceptions_of(double)] == [squares, adds]


def test_a_reference_is_this_very_object_and_not_an_equal_one():
    @misconception(of=double)
    def squares(x):
        """You square."""
        return x**2

    assert misconceptions_of(twin_of_double) == []


def test_the_docstring_is_the_explanation_on_one_line():
    @misconception(of=double)
    def squares(x):
        """You square.

        That is right for 0 and
        for 2 only.
        """
        return x**2

    (found,) = misconceptions_of(double)
    assert found.explanation == "You square. That is right for 0 and for 2 only."
    assert found.name == "squares"


def test_an_explanation_is_required_and_not_inherited():
    class Right:
        """The right one."""

    with pytest.raises(ValueError, match="Wrong needs a docstring"):

        @misconception(of=Right)
        class Wrong(Right):
            pass


def test_a_function_becomes_the_cell_of_a_student():
    @misconception(of=double)
    def squares(x):
        """You square.

        That is wrong.
        """
        # half of it is right
        return x**2

    (found,) = misconceptions_of(double)
    assert found.source == "def double(x):\n    # half of it is right\n    return x**2\n"


def test_a_class_becomes_the_cell_of_a_student():
    class Doubling:
        def __call__(self, x):
            return 2 * x

    @misconception(of=Doubling)
    class Squaring:
        """You square."""

        def __call__(self, x):
            return x**2

    (found,) = misconceptions_of(Doubling)
    assert found.source == ("class Doubling:\n    def __call__(self, x):\n        return x**2\n")


def test_a_module_that_is_loaded_again_replaces_its_wrong_solutions():
    def load():
        @misconception(of=double)
        def squares(x):
            """You square."""
            return x**2

        return squares

    load()
    again = load()
    assert [m.wrong for m in misconceptions_of(double)] == [again]


def test_an_assignment_is_the_folder_of_its_wrong_solutions():
    @misconception(of=double)
    def squares(x):
        """You square."""
        return x**2

    squares.__module__ = "autograder.assignments.arithmetic.misconceptions"
    (found,) = misconceptions_in("arithmetic")
    assert isinstance(found, Misconception)
    assert misconceptions_in("algebra") == []
