"""A grader, its workers and its sandboxes are killed again and again, and nothing is lost.

`make test-long` runs this. KILLS and KILLS_SEED in the environment choose how many kills there
are, and which; a failure prints the seed with which it can be repeated.
"""

import json
import os
import random
import tempfile
import time
from collections import Counter
from dataclasses import replace

import pytest
from killed_class import KINDS, STUDENTS, KilledClass, carry_out, plan, temporary_files
from recording import record

from autograder.sandbox.bubblewrap import SandboxUnavailable, require

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("KILLS", "60"))
SEED = int(os.environ.get("KILLS_SEED", random.randrange(10**6)))
RUNS_AFTERWARDS = 3
"""How many runs may be needed to finish what the last kills have left."""


@pytest.fixture
def killed_class(tmp_path, monkeypatch):
    """Return a class that was graded once without a disturbance, and then by hand."""
    try:
        require()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    temporary.chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return KilledClass.make(tmp_path / "class")


def ended_well(process):
    """Wait for the end of a run; return whether all submissions were graded."""
    _, said = process.communicate(timeout=600)
    assert "Traceback" not in said.decode(), said.decode()
    return process.returncode == 0


def test_kills_of_every_kind_at_random_moments_lose_and_duplicate_nothing(killed_class):
    killed_class.hand_in(1)
    began = time.monotonic()
    assert ended_well(killed_class.start("all"))
    whole_run = time.monotonic() - began
    killed_class.grade_by_hand()
    version = 1
    killed_class.check_the_end(version)

    print(f"seed {SEED}; an undisturbed run takes {whole_run:.0f} s")
    done: Counter = Counter()
    process, graded = None, True
    for number, kill in enumerate(plan(KILLS, run=whole_run, seed=SEED), start=1):
        while True:
            if process is None or process.poll() is not None:
                if process is not None:
                    graded = ended_well(process)
                    killed_class.check(version)
                if graded:  # let the class hand in once more
                    killed_class.check_the_end(version)
                    version = 3 - version
                    killed_class.hand_in(version)
                # If the run was killed before it knew what to grade, the same command goes on.
                left = not graded and killed_class.unfinished()
                process = killed_class.start("unfinished" if left else "all")
                done["runs"] += 1
            if what := carry_out(kill, process):
                break
            # The run was over before: no later one need be slower.
            kill = replace(kill, pause=kill.pause / 2)
        done[kill.kind] += 1
        print(f"kill {number}: {what}; {len(killed_class.unfinished())} unfinished", flush=True)

    process.communicate(timeout=600)
    for _ in range(RUNS_AFTERWARDS):
        if ended_well(killed_class.start("all")):
            break
    killed_class.check_the_end(version)
    assert temporary_files() == []
    assert sum(done[kind] for kind in KINDS) == KILLS
    _report({"seed": SEED, "students": len(STUDENTS), **done})


def _report(figures):
    print(json.dumps(figures))
    record("kills", figures)
