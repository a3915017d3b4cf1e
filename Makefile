# `make demo` and `make test` do all the set-up on a machine with Python 3.11+, git and make.

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-long fuzz selftest safety mistakes lint bench docs clean

help:
	@echo "make demo      release, grade and report a sample class"
	@echo "make test      run the tests (some of them: make test ARGS='-k audit')"
	@echo "make test-slow run the tests that take minutes each"
	@echo "make test-long run the tests that take longest: kills at random moments, full disks, and others"
	@echo "make fuzz      look for data that break the grader (FUZZ_SECONDS=600 for each of 4 targets)"
	@echo "make selftest  judge mutants, misconceptions and answers written by hand (hours)"
	@echo "make safety    record attacks, kills, fuzzing and the self-test in docs/safety.md (hours)"
	@echo "make mistakes  grade every known misconception in the sandbox (a quarter of an hour)"
	@echo "make lint      ruff and mypy"
	@echo "make bench     measure training, grading and Huffman coding, into build/bench.json"
	@echo "make docs      build the documentation as a site, in build/site"
	@echo "make setup     only create .venv (the others do it when needed)"
	@echo "make clean     remove .venv and build"

setup: $(READY)

# If one of these files is newer than the stamp, the environment has to be brought up to date.
$(READY): pyproject.toml constraints.txt scripts/setup.sh
	PYTHON="$(PYTHON)" sh scripts/setup.sh
	@touch $@

demo: $(READY)
	$(BIN)/autograder demo

# One worker per core; workers are processes, so each keeps torch to one thread.
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not thorough and not long" $(ARGS)

# The sample class of every assignment, and other tests that take minutes: CI runs them, too.
test-slow: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "thorough and not long" $(ARGS)

# CI has no time for these: a class whose grading is killed 60 times (KILLS=200 for more), say.
test-long: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m long -s $(ARGS)

# Atheris has no wheels for some machines and Python versions, so that only this installs it.
FUZZ_SECONDS ?= 600
fuzz: $(READY)
	$(BIN)/python -m pip install -q "atheris>=3"
	PYTHONPATH=. $(BIN)/python tests/fuzz/seeds.py build/fuzz
	for target in message payload frames session; do \
		PYTHONPATH=. OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/fuzz.py $$target \
			-dict=tests/fuzz/wire.dict -max_total_time=$(FUZZ_SECONDS) -timeout=60 \
			-rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 -artifact_prefix=build/fuzz/ \
			build/fuzz/$$target 2>&1 | tee build/fuzz-$$target.log; \
		grep -q "^Done " build/fuzz-$$target.log || exit 1; \
	done

# CI has no time for this: every answer whose right verdict is known, in all assignments.
selftest: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/autograder selftest --jobs $(JOBS) $(ARGS)

# Everything that the page docs/safety.md reports, and then the page.
safety: $(READY)
	OMP_NUM_THREADS=1 RECORD=1 $(BIN)/python -m pytest tests/hostile
	OMP_NUM_THREADS=1 RECORD=1 $(BIN)/python -m pytest tests/kills -m long -s
	$(MAKE) fuzz
	$(BIN)/python tests/fuzz/record.py build
	OMP_NUM_THREADS=1 $(BIN)/autograder selftest --jobs $(JOBS) --keep

# Whole submissions for all misconceptions, not only for the first of them.
mistakes: $(READY)
	OMP_NUM_THREADS=1 EVERY_MISTAKE=1 $(BIN)/python -m pytest tests/sample_class

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m autograder.bench build/bench.json

# Only this installs MkDocs; once it is installed, the site is built without a network.
DOCS_READY := .venv/.docs-ready
$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

docs: $(DOCS_READY)
	OMP_NUM_THREADS=1 NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@echo "Open build/site/index.html, or serve the site for its search: $(BIN)/python -m http.server -d build/site"

clean:
	rm -rf .venv build
