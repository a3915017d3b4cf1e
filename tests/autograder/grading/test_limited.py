"""The grader's own work ends at its limits, and afterwards everything is as before."""

import re
import resource
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

from autograder.grading import limited as module
from autograder.grading.limited import LimitReached, lifted, limited

MIB = 2**20


def stopped(work, seconds=60.0, mib=1024):
    """Do some work under limits; return why it was stopped, or None."""
    try:
        with limited(processor_seconds=seconds, memory_bytes=mib * MIB):
            work()
    except LimitReached as reached:
        return str(reached)
    return None


def compute(seconds=30.0):
    """Use this many seconds of processor time in this thread."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def state():
    """Return everything that a block may change."""
    limit = resource.getrlimit(resource.RLIMIT_DATA)
    return signal.getitimer(signal.ITIMER_PROF), limit, signal.getsignal(signal.SIGPROF)


@pytest.fixture(autouse=True)
def _everything_is_put_back():
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    before = state()
    yield
    assert state() == before


def test_an_endless_loop_ends():
    assert stopped(compute, seconds=0.2) == "it took more than 0.2 s of processor time"


def test_an_endless_search_of_a_pattern_ends():
    assert stopped(lambda: re.match(r"(a+)+$", 40 * "a" + "b"), seconds=0.2)


def test_a_loop_that_swallows_exceptions_ends():
    def work():
        for _ in range(3):
            try:
                compute()
            except Exception:
                continue

    assert stopped(work, seconds=0.1)


def test_a_long_call_of_compiled_code_counts_when_it_is_over():
    # 64 MB, for which the quickest sort with vector instructions takes about a tenth of a second.
    numbers = np.random.default_rng(0).random(8 * MIB)
    assert stopped(lambda: np.sort(numbers), seconds=0.01)


def test_waiting_does_not_count():
    assert stopped(lambda: time.sleep(0.5), seconds=0.2) is None


def test_the_time_of_other_threads_does_not_count():
    def work():
        other = threading.Thread(target=compute, args=(0.5,))
        other.start()
        other.join()

    assert stopped(work, seconds=0.2) is None


@pytest.mark.parametrize(
    "take",
    [lambda: bytearray(512 * MIB), lambda: np.ones(64 * MIB), lambda: torch.ones(128 * MIB)],
    ids=["Python", "numpy", "torch"],
)
def test_memory_past_the_limit_is_not_given(take):
    assert stopped(take, mib=256) == "it took more than 0.25 GiB of memory"
    take()  # it is available again after the block


@pytest.mark.thorough
def test_many_small_objects_count_as_memory():
    # Many more than fit into the memory that the process already has.
    assert stopped(lambda: [[] for _ in range(64 * MIB)], mib=64)


def test_memory_that_was_there_before_does_not_count():
    before = bytearray(512 * MIB)
    assert stopped(lambda: bytearray(64 * MIB), mib=128) is None
    assert before


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), KeyError("x")])
def test_other_exceptions_are_not_changed(error):
    def work():
        raise error

    with pytest.raises(type(error)) as raised:
        stopped(work)
    assert raised.value is error


def test_a_block_inside_another_has_its_own_limits():
    def work():
        assert "0.1 s" in stopped(compute, seconds=0.1)
        assert "0.062 GiB" in stopped(lambda: bytearray(256 * MIB), mib=64)
        compute(0.2)
        bytearray(256 * MIB)

    assert stopped(work) is None


def test_a_block_inside_another_cannot_have_more():
    assert "0.2 s" in stopped(lambda: stopped(compute), seconds=0.2)

    def work():
        assert stopped(lambda: bytearray(256 * MIB))

    assert stopped(work, mib=64) is None


def test_the_outer_block_continues_to_count_after_an_inner_one():
    def work():
        assert stopped(lambda: compute(0.1)) is None
        compute()

    assert "0.3 s" in stopped(work, seconds=0.3)


def test_an_earlier_handler_is_called_and_restored():
    calls = []
    signal.signal(signal.SIGPROF, handler := lambda *_: calls.append(1))
    try:
        assert stopped(lambda: compute(0.5)) is None
        assert signal.getsignal(signal.SIGPROF) is handler
    finally:
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
    assert calls


def test_the_default_action_is_not_restored_because_a_late_signal_would_kill():
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    stopped(compute, seconds=0.1)
    signal.raise_signal(signal.SIGPROF)


def test_a_program_that_is_started_does_not_inherit_the_limits():
    program = "import resource; print(resource.getrlimit(resource.RLIMIT_DATA))"

    def limit_of_a_program():
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        return done.stdout.strip()

    own = limit_of_a_program()

    def work():
        assert limit_of_a_program() != own
        with lifted():
            assert limit_of_a_program() == own
        with pytest.raises(MemoryError):
            bytearray(512 * MIB)
        compute()

    assert "0.2 s" in stopped(work, seconds=0.2, mib=256)


def test_in_another_thread_the_work_is_done_without_limits():
    done = []

    def work():
        compute(0.3)
        done.append(bytearray(64 * MIB))

    thread = threading.Thread(target=stopped, args=(work, 0.1, 1))
    thread.start()
    thread.join()
    assert done


def test_if_memory_cannot_be_measured_there_is_still_a_time_limit(monkeypatch):
    monkeypatch.setattr(module, "_data_bytes", lambda: None)

    def work():
        bytearray(64 * MIB)
        compute()

    assert "0.1 s" in stopped(work, seconds=0.1, mib=1)
