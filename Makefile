# Every target does its own set-up from nothing but Python >= 3.11 and make. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked-done
STAMP := $(VENV)/.setup-done
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest
# On two cores, module by module, in the order of tests/conftest.py: the longest first.
SPREAD := -n 2 --dist loadscope --no-loadscope-reorder
# The first interpreter that is new enough; name another with `make setup PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
# Log and address of `make demo`; OPEN=0 opens no browser.
LOG ?= .workbench
PORT ?= 2718
OPEN ?= 1
# One benchmark by name, and its options: `make bench NAME=timeline ARGS=--smoke`.
NAME ?=
ARGS ?=

.PHONY: help
help:  ## List what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: $(STAMP)  ## Make .venv with every dependency, each at its locked version and hash.

# pip reads the lock, so whatever index, mirror or certificate pip is configured for is used.
$(LOCKED): requirements/all.txt
	@test -n "$(PYTHON)" || { echo "make setup: no Python 3.11 or newer was found; install one, or name it with PYTHON=/path/to/python." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV) >/dev/null 2>&1; } || { rm -rf $(VENV); \
		echo "make setup: $(PYTHON) cannot make a virtual environment; install its venv module (Debian: apt install python3-venv)." >&2; exit 1; }
	@echo "Setting up $(VENV) (the first time one to three minutes) ..."
	@$(PIP) --require-hashes --only-binary :all: -r requirements/all.txt >$(VENV)/setup.log 2>&1 || { \
		grep -iE 'error|could not' $(VENV)/setup.log | tail -n 2 >&2; \
		echo "make setup: the locked packages could not be installed (is there a network, and a wheel for this Python?); all of it is in $(VENV)/setup.log." >&2; exit 1; }
	@touch $@

$(STAMP): $(LOCKED) pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --editable . >$(VENV)/setup.log 2>&1 || { \
		echo "make setup: the project itself could not be installed; all of it is in $(VENV)/setup.log." >&2; exit 1; }
# Without bytecode (PYTHONDONTWRITEBYTECODE keeps pip from writing it) every process starts a quarter of a second slower.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m compileall -q -j 0 $(VENV)/lib workbench || \
		echo "make setup: some files could not be compiled to bytecode; all works, but starts more slowly." >&2
	@touch $@

.PHONY: demo
demo: $(STAMP)  ## Make the demo log if there is none, and serve its timeline until Ctrl-C (OPEN=0: no browser).
	@$(BIN)/workbench demo $(LOG) --serve --port $(PORT) $(if $(filter 0,$(OPEN)),--no-open)

.PHONY: test
test: $(STAMP)  ## Run the tests on two cores: everything but the long ones and the stack.
	$(PYTEST) $(SPREAD) -m "not long and not stack" $(ARGS)

.PHONY: test-long
test-long: $(STAMP)  ## Run the fault and determinism tests at full size.
	$(PYTEST) -m long $(ARGS)

.PHONY: test-stack
test-stack: $(STAMP)  ## Run the tests against Trino, a REST catalog and MinIO, where they run.
	$(PYTEST) -n 0 -m "stack and not long" $(ARGS)

.PHONY: stack
stack: $(STAMP)  ## Start Trino, a REST catalog and MinIO without Docker, wait until they answer, leave them running.
	@$(BIN)/python docker/stack.py up $(ARGS)

.PHONY: stack-down
stack-down: $(STAMP)  ## Stop what `make stack` started.
	@$(BIN)/python docker/stack.py down $(ARGS)

.PHONY: coverage
coverage: $(STAMP)  ## Run the tests with branch coverage and hold it to its floors.
	$(PYTEST) $(SPREAD) -m "not long and not stack" --cov --cov-report= $(ARGS)
	$(BIN)/coverage report --skip-covered --fail-under=90
	$(BIN)/coverage report --skip-covered --fail-under=100 --include='workbench/event.py,workbench/decode/*,workbench/charts/*'

.PHONY: check
check: $(STAMP)  ## Format, lint, types, the import contract, the budgets: what a change must pass.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -q tests/architecture

.PHONY: format
format: $(STAMP)  ## Format the code and mend what the linter can.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: bench
bench: $(STAMP)  ## Print each benchmark's ratio against its peer (NAME=one, ARGS=--smoke).
	$(BIN)/python -m benchmarks $(NAME) $(ARGS)

.PHONY: lab
lab: $(STAMP)  ## Open the Jupyter notebooks.
	$(BIN)/workbench lab

.PHONY: screens
screens: $(STAMP)  ## Take the pictures in docs/ from the running demo, in Chromium.
	$(BIN)/python docs/screens.py

.PHONY: lock
lock: $(STAMP)  ## Pin every dependency anew, with hashes, for every platform (ARGS=--upgrade: newest).
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --all-extras --group dev --group bench \
		--generate-hashes --no-header $(ARGS) --output-file requirements/all.txt

.PHONY: clean
clean:  ## Remove what was made here, the virtual environment and the demo log apart.
	rm -rf .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
