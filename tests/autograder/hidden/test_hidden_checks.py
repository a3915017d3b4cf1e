"""The checks of a hidden test judge a student's namespace, which they ask as executors do."""

from pathlib import Path

import numpy as np
import pytest
import torch

from autograder.hidden import close, entry, gradient, holds, same, score, student, value
from autograder.hidden.checks import SLIP
from autograder.hidden.compare import difference
from autograder.hidden.student import StudentError, Submission, asking
from autograder.misconceptions import misconception
from autograder.sandbox.inside.responder import Responder


def square(x, power=2):
    return x**power


@misconception(of=square)
def doubles(x, power=2):
    """You multiply by two. A square is the number times itself."""
    return 2 * x


@misconception(of=square)
def changes_the_sign(x, power=2):
    """You return the negative number. A square has no sign to change."""
    return -abs(x)


@misconception(of=square)
def cubes(x, power=2):
    """You multiply three times. A square has two factors."""
    return x * x * x


@pytest.fixture
def notebook():
    """Yield the student's namespace, which a test fills and then asks."""
    namespace = {}
    with asking(Submission(Responder(namespace).answer, Path())):
        yield namespace


def test_right_answers_give_full_credit(notebook):
    notebook["square"] = lambda x: x * x
    check = same(student.square, square, on=[(3,), (np.arange(3.0),), (torch.ones(2),)])
    assert check.credit == 1
    assert check.message == ""


def test_credit_is_given_per_case(notebook):
    notebook["square"] = abs
    check = same(student.square, square, on=[(1,), (0,), (3,), (4,)])
    assert check.credit == 0.5
    assert check.message == (
        "with `x=3`: the result is 3 instead of 9. 2 of the 4 cases are wrong."
    )


def named(*checks):
    """Return the names that the feedback on each check gives to what is wrong."""
    found = score(*checks, of=1).checks
    return [check.misconception and check.misconception.name for check in found]


def test_the_misconception_that_fits_is_named(notebook):
    notebook["square"] = lambda x: x + x
    check = same(student.square, square, on=[(2,), (3,), (5,)])
    assert check.credit == pytest.approx(1 / 3)  # 2 + 2 = 2 * 2
    assert named(check) == ["doubles"]


def test_another_mistake_is_not_called_a_misconception(notebook):
    notebook["square"] = lambda x: x + x + (x == 5)
    assert named(same(student.square, square, on=[(3,), (5,)])) == [None]


def test_a_right_answer_that_the_misconception_would_not_give_clears_of_it(notebook):
    notebook["square"] = lambda x: x + x if x == 3 else x * x
    wrong = same(student.square, square, on=[(3,)])
    assert named(wrong) == ["doubles"]
    assert named(wrong, same(student.square, square, on=[(5,)])) == [None, None]


def test_nothing_is_named_if_two_misconceptions_fit(notebook):
    notebook["square"] = lambda x: x * x * x
    assert named(same(student.square, square, on=[(-1,)])) == [None]  # -abs(x), too


def test_nan_is_not_called_a_misconception(notebook):
    @misconception(of=square)
    def divides_by_zero(x, power=2):
        """You divide zero by zero. A square needs no division."""
        return x * float("nan")

    notebook["square"] = lambda x: x - float("nan")
    assert named(same(student.square, square, on=[(3.0,)])) == [None]


def test_where_the_answer_fails_the_misconception_has_to_fail_as_well(notebook):
    def doubles_small_numbers(x):
        if x > 4:
            raise ValueError
        return 2 * x

    notebook["square"] = doubles_small_numbers
    assert named(same(student.square, square, on=[(3,), (5,)])) == [None]


def test_a_mistake_is_recognised_through_the_rounding_of_another_formula(notebook):
    notebook["square"] = lambda x: 2.0000001 * x
    assert named(same(student.square, square, on=[(3.0,), (5.0,)])) == ["doubles"]


def test_a_misconception_must_give_the_answers_of_every_check(notebook):
    notebook["square"] = lambda x: x * x * x
    one, three = (same(student.square, square, on=[(x,)]) for x in (-1, 3))
    assert named(one, three) == ["cubes", "cubes"]


@pytest.mark.parametrize(
    "form", [list, tuple, torch.from_numpy, np.float64], ids=["list", "tuple", "tensor", "array"]
)
def test_what_holds_the_numbers_does_not_matter(notebook, form):
    notebook["square"] = lambda x: form(x * x)
    assert same(student.square, square, on=[(np.arange(3.0),)]).credit == 1


@pytest.mark.parametrize(
    "form",
    [np.float32, torch.tensor, lambda x: np.array([x])],
    ids=["NumPy number", "tensor", "array"],
)
def test_an_array_of_one_number_counts_as_the_number(notebook, form):
    notebook["square"] = lambda x: form(x * x)
    assert same(student.square, square, on=[(3.0,)]).credit == 1


@pytest.mark.parametrize("other", [np.int64, float, np.uint16])
def test_integers_of_another_type_cost_a_slip(notebook, other):
    notebook["square"] = lambda x: (x * x).astype(other)
    check = same(student.square, square, on=[(np.array([1, 2], dtype=np.uint8),)])
    assert check.credit == 1 - SLIP
    assert "the values are right, but the type is" in check.message
    assert "instead of uint8" in check.message


def test_a_mask_of_another_type_costs_a_slip(notebook):
    notebook["square"] = lambda x: (x > 1).float()
    check = same(student.square, lambda x: x > 1, on=[(torch.arange(3),)])
    assert check.credit == 1 - SLIP
    assert "the type is float32 instead of bool" in check.message


def test_a_call_that_changes_its_arguments_costs_a_slip(notebook):
    def changes(x):
        x *= x
        return x

    notebook["square"] = changes
    check = same(student.square, square, on=[(np.array([2.0, 3.0]),)])
    assert check.credit == 1 - SLIP
    assert check.message.endswith(
        "the values are right, but the call changes its first argument; work on a copy."
    )
    assert same(student.square, square, on=[(np.array([2.0]),)], in_place=True).credit == 1


def test_the_smallest_wrong_input_is_shown(notebook):
    notebook["square"] = lambda x: x + 1
    large, small = np.zeros(50), np.array([0.5, 2.0])
    message = same(student.square, square, on=[(large,), (small,)]).message
    assert message.startswith("with `x=[0.5, 2]`: all 2 elements are off by up to 1.2.")
    assert message.endswith("Both cases are wrong; this is the smallest.")


def test_a_case_is_described_by_the_names_that_the_test_gives_to_its_parts(notebook):
    notebook["square"] = lambda x: x
    weights = np.ones((32, 288))

    def column(f, w, count):
        return f(w)[:, :count]

    def passed_on(f, *case):
        return f(*case)

    check = same(student.square, lambda x: x + 1, on=[(weights, 1)], through=column)
    assert check.message.startswith("with `w` of shape (32, 288) and `count=1`: all 32 elements")
    check = same(student.square, lambda x: x + 1, on=[(weights,)], through=passed_on)
    assert check.message.startswith("with `x` of shape (32, 288): ")


def test_where_nothing_has_a_name_only_arrays_are_mentioned(notebook):
    notebook["square"] = lambda x: x
    ask = {"through": lambda f, /, *case: f(case[0])}
    check = same(student.square, lambda *x: x[0] + 1, on=[(np.ones(9), 1)], **ask)
    assert check.message.startswith("with an array of shape (9,): all 9 elements are off")


def test_what_is_allowed_is_said_only_of_an_answer_that_is_close(notebook):
    notebook["square"] = lambda x: x * x + 0.01
    near = same(student.square, square, on=[(3.0,)], within=0.001).message
    assert near == "with `x=3.0`: the result is 9.01, which is off by 0.01 (0.001 is allowed)."
    far = same(student.square, square, on=[(3.0,)], within=1e-9).message
    assert far == "with `x=3.0`: the result is 9.01, which is off by 0.01."


def test_an_infinite_number_is_shown_and_not_how_far_off_it_is(notebook):
    notebook["square"] = lambda x: np.where(x > 1, np.inf, x * x)
    message = same(student.square, square, on=[(np.array([1.0, 2.0]),)]).message
    assert message == "with `x=[1, 2]`: 1 of the 2 elements is off: it is inf instead of 4."
    notebook["square"] = lambda x: float("inf")
    message = same(student.square, square, on=[(2.0,)]).message
    assert message == "with `x=2.0`: the result is inf instead of 4."


def test_a_part_of_an_answer_is_named(notebook):
    notebook["square"] = lambda x: {"both": (x, x)}
    message = same(student.square, lambda x: {"both": (x, x + 1)}, on=[(2,)]).message
    assert "the second of the two values in the entry 'both' is 2 instead of 3" in message


def test_one_of_several_results_is_counted_in_words(notebook):
    notebook["square"] = lambda x: (x, x)
    message = same(student.square, lambda x: (x + 1, x), on=[(np.zeros(10),)]).message
    assert "all 10 elements of the first of the two results are off by up to 1" in message


@pytest.mark.parametrize(
    ("count", "place", "part"),
    [
        (1, 0, "the only value"),
        (3, 2, "the third of the three values"),
        (9, 8, "the ninth of the nine values"),
        (40, 10, "the 11th of the 40 values"),
        (40, 21, "the 22nd of the 40 values"),
    ],
)
def test_one_of_the_values_of_a_list_is_counted(count, place, part):
    right = [0] * count
    assert difference([int(i == place) for i in range(count)], right) == f"{part} is 1 instead of 0"


def test_one_of_several_arrays_in_a_list_is_called_an_array():
    text = difference([np.zeros(2), np.ones(2)], [np.zeros(2), np.zeros(2)])
    assert text == "all 2 elements of the second of the two arrays are off by up to 1"


def test_a_measured_value_that_is_off_is_counted_in_words():
    assert close([1.0, 2.0], [1.0, 3.0], within=0.1).message.startswith(
        "the second of the two values is 2"
    )


def test_an_answer_within_the_tolerance_is_right(notebook):
    notebook["square"] = lambda x: x * x + 0.01
    assert same(student.square, square, on=[(3.0,)], within=0.011).credit == 1
    assert same(student.square, square, on=[(3.0,)], within=lambda x: 0.001 * x).credit == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda x: x[:1], "the result has the shape (1,) instead of (2,)"),
        (lambda x: "text", "is 'text' instead of an array of shape (2,)"),
        (lambda x: None, "is None instead of an array of shape (2,)"),
        (lambda x: [1, "2"], "is [1, '2'] instead of an array of shape (2,)"),
    ],
)
def test_the_message_says_what_is_different(notebook, wrong, message):
    notebook["square"] = wrong
    check = same(student.square, square, on=[(np.array([1, 2], dtype=np.uint8),)])
    assert check.credit == 0
    assert message in check.message


def test_nan_is_wrong(notebook):
    notebook["square"] = lambda x: x * float("nan")
    assert "NaN" in same(student.square, square, on=[(np.ones(2),)]).message


def test_an_error_in_student_code_counts_as_an_answer(notebook):
    def fails(x):
        raise ValueError("too hard")

    notebook["square"] = fails
    check = same(student.square, square, on=[(1,)])
    assert check.credit == 0
    assert check.message == "with `x=1`: `square` stopped with ValueError."


def test_an_error_of_an_object_is_told_in_words(notebook):
    class Layer:
        def __call__(self, x):
            raise ValueError

    notebook["Layer"] = Layer
    check = same(student.Layer, lambda: abs, on=[(1,)], through=lambda layer, x: layer()(x))
    assert check.message == "with `x=1`: the object that your code made stopped with ValueError."


def test_the_text_of_an_error_is_not_repeated(notebook):
    class Chatty(Exception):
        pass

    def tells(x):
        raise Chatty(f"I was asked {x}")

    notebook["square"] = tells
    check = same(student.square, square, on=[(1,)])
    assert check.message == "with `x=1`: `square` stopped with an error of its own."


def test_a_missing_or_unwritten_answer_is_reported_as_such(notebook):
    assert "There is no `square`" in same(student.square, square, on=[(1,)]).message

    def stub(x):
        raise NotImplementedError

    notebook["square"] = stub
    assert "not written yet" in same(student.square, square, on=[(1,)]).message


def test_exiting_the_process_counts_as_an_answer_too(notebook):
    notebook["square"] = lambda x: exit()
    assert "SystemExit" in same(student.square, square, on=[(1,)]).message


def test_objects_stay_with_the_student_and_are_asked_through_a_handle(notebook):
    notebook["nn"] = torch.nn
    layer = student.nn.Linear(2, 1, bias=False)
    layer.load_state_dict({"weight": torch.tensor([[1.0, 2.0]])})
    assert layer(torch.tensor([3.0, 4.0])).item() == 11
    assert value(layer.in_features) == 2


def test_a_case_can_take_several_calls(notebook):
    notebook["square"] = lambda x: x * x

    def twice(f, x):
        return f(f(x))

    assert same(student.square, square, on=[(3,)], through=twice).credit == 1


def test_an_answer_of_another_form_is_wrong_and_raises_nothing(notebook):
    notebook["square"] = lambda x: 3
    check = same(student.square, square, on=[(np.ones(2),)], through=lambda f, x: f(x)[0])
    assert check.credit == 0


def test_a_gradient_is_asked_of_both_sides(notebook):
    notebook["square"] = lambda x: x * x
    x, upstream = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0])

    def ask(f, x):
        return gradient(f, x, upstream=upstream)

    assert ask(student.square, x).tolist() == [2, 40]
    assert same(student.square, square, on=[(x,)], through=ask).credit == 1


def test_each_measured_value_gets_credit(notebook):
    notebook["sweep"] = {8: 0.9, 4: 0.5, 2: 0.1}
    check = close(student.sweep, {8: 0.9, 4: 0.8, 2: 0.1, 1: 0.0}, within=0.01)
    assert check.credit == 0.5
    assert "the entry 4 is 0.5, which is off by more than the 0.01 allowed" in check.message
    assert "no entry for 1" in check.message


@pytest.mark.parametrize("wrong", [None, "0.9", [0.9], 3, {"8": 0.9}])
def test_measured_values_of_another_form_get_none(notebook, wrong):
    notebook["sweep"] = wrong
    assert close(student.sweep, {8: 0.9}, within=0.01).credit == 0


def test_a_number_that_no_float_can_hold_is_wrong(notebook):
    notebook["huge"] = 10**4000
    check = close(student.huge, 1.5, within=0.1)
    assert check.credit == 0
    assert check.message == "the result is a whole number that is too large to compare"


def test_whole_numbers_are_compared_exactly(notebook):
    notebook["count"] = 2**60 + 1
    assert close(student.count, 2**60, within=0).credit == 0
    assert close(student.count, 2**60 + 1, within=0).credit == 1


@pytest.mark.parametrize("reply", [{"error": "no"}, {"error": None}, {"error": [1]}])
def test_a_malformed_reply_is_a_wrong_answer(reply):
    with asking(Submission(lambda _: reply, Path())):
        check = close(student.x, 3, within=0)
    assert check.credit == 0
    assert check.message == "`x` gave an answer that no function gives."


def test_a_property_that_fails_says_so(notebook):
    notebook["x"] = 3
    assert holds(lambda: value(student.x) == 3, "x is 3").credit == 1
    assert holds(lambda: value(student.x) > 3, "x is above 3").message == "x is above 3"
    assert holds(lambda: value(student.y) > 3, "y is above 3").credit == 0
    assert holds(lambda: value(student.x)[0] > 3, "x is a list").credit == 0


def test_a_value_that_is_not_plain_is_refused(notebook):
    notebook["x"] = object()
    with pytest.raises(StudentError, match="not a number, list, dict, array or tensor"):
        value(student.x)


def test_a_score_is_the_weighted_mean_in_points(notebook):
    notebook["x"] = 3
    result = score(holds(True, "", weight=3), holds(False, "never", label="b"), of=8)
    assert result.points == 6
    assert repr(result) == "6.0"
    assert "6 of 8 points" in result._repr_html_()
    assert result.messages == ["b: never"]


def test_a_question_without_checks_raises_an_error():
    with pytest.raises(ValueError, match="checks nothing"):
        score(of=3)


def test_objects_that_claim_to_equal_everything_are_judged_by_their_value(notebook):
    class Equal(float):
        def __eq__(self, other):
            return True

        def __sub__(self, other):
            return 0.0

        __hash__ = float.__hash__

    notebook["square"] = lambda x: Equal(0)
    assert same(student.square, square, on=[(3,), (4,)]).credit == 0


def test_what_an_answer_prints_is_discarded(notebook, capsys):
    def loud(x):
        print("result:", x)
        np.float64(1) / np.float64(0)
        return x * x

    notebook["square"] = loud
    assert same(student.square, square, on=[(3,)]).credit == 1
    assert capsys.readouterr() == ("", "")


def test_an_entry_of_a_dict_is_found_by_its_key(notebook):
    notebook["accuracies"] = {0.5: "half", 1: "one"}
    assert entry(student.accuracies, 0.5) == "half"
    assert entry(student.accuracies, 1.0) == "one"


@pytest.mark.parametrize("answer", [{}, {"0.5": 1}, [0.5], None, "text"])
def test_there_is_no_entry_without_a_dict_that_has_the_key(notebook, answer):
    notebook["accuracies"] = answer
    assert entry(student.accuracies, 0.5) is None


def test_a_name_that_does_not_exist_has_no_entry(notebook):
    assert entry(student.accuracies, 0.5) is None
