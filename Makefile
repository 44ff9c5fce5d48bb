# Every target sets itself up from nothing but Python >= 3.11, git and make: a virtual environment in .venv with
# the locked, hash-checked requirements. `make help` lists the targets.

VENV := .venv
BIN := $(VENV)/bin
# The first of these that is new enough; `make PYTHON=/path/to/python` uses another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# The lock holds what the packages need on every platform and Python that is supported, without any index's address.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
# Tests mostly wait for processes: two workers a core.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
# More arguments for the program behind a target: make test ARGS='tests/unit -x', make demo ARGS='--nomad ADDRESS'.
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench soak bench-repair bench-extract conformance install picture lock clean

help: ## this list
	@echo "nomad-operator: from a commit to a healthy job on Nomad"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target about; do \
		printf '%-20s %s\n' "$$target" "$$about"; done

demo: $(VENV)/.core ## the whole story in about a minute, no Nomad needed (ARGS='--nomad ADDRESS' to use a real one)
	@$(BIN)/nomad-operator demo $(ARGS)

test: $(VENV)/.dev ## all tests; NOMAD_TEST_ADDR=http://… adds those that need a real Nomad
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: $(VENV)/.dev ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

conformance: $(VENV)/.dev ## the port suites: on the embedded adapters, and on a real Nomad where NOMAD_TEST_ADDR is set
	$(BIN)/python -m pytest tests/conformance $(ARGS)

bench: $(VENV)/.dev ## the loop's numbers: a table, and .bench/loop.json
	$(BIN)/python -m tests.bench.loop $(ARGS)

soak: $(VENV)/.dev ## half an hour of commits and faults on three copies, and .bench/soak.json (ARGS='--minutes 5')
	$(BIN)/python -m tests.soak $(ARGS)

bench-repair: $(VENV)/.dev ## repairs, on a corpus of broken jobs: a table, and .bench/repair.json (ARGS='--case NAME' for one story, ARGS=--rungs MODEL=… OPENAI_BASE_URL=… with memory and a model on and off)
	$(if $(MODEL),NOMAD_OPERATOR_MODEL='$(MODEL)') $(if $(OPENAI_BASE_URL),OPENAI_BASE_URL='$(OPENAI_BASE_URL)') $(BIN)/python -m tests.repair $(ARGS) $(if $(MODEL),--rungs)

bench-extract: $(VENV)/.dev ## what is found in code, against what people say of it, and a tree of 50,000 files: a table, and .bench/extract.json
	$(BIN)/python -m tests.extract $(ARGS)

install: $(VENV)/.core ## the command alone: .venv/bin/nomad-operator

picture: $(VENV)/.core ## for maintainers: the README's picture, the reference, the table of metrics and the dashboards, drawn from the code
	@$(BIN)/python -m tests.guards.draw_readme
	@$(BIN)/python -m tests.guards.metrics_page
	@$(BIN)/python -m tests.guards.reference_page
	@$(BIN)/python -m charts.dashboards

lock: $(VENV)/.dev ## for maintainers: newer requirements*.txt, from pyproject.toml
	$(PIP) install uv
	$(COMPILE) --upgrade pyproject.toml --all-extras -o requirements-all.txt
	$(COMPILE) --upgrade pyproject.toml -c requirements-all.txt -o requirements.txt
	$(COMPILE) --upgrade pyproject.toml --all-extras --group dev -c requirements-all.txt -o requirements-dev.txt
	echo 'setuptools' | $(COMPILE) --no-annotate - -c requirements-dev.txt -o requirements-build.txt

clean: ## remove what the targets made
	rm -rf $(VENV) .bench .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -path ./.git -prune -o -type d \( -name '*.egg-info' -o -name __pycache__ \) -prune -exec rm -rf {} +

# ---- set up; a stamp is newer than what it was made from, so a second run does nothing

$(VENV)/.core: requirements.txt requirements-build.txt pyproject.toml | $(VENV)/.made
	@echo "Installing nomad-operator into $(VENV) (once) ..."
	@$(PIP) install --require-hashes -r requirements.txt -r requirements-build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.core
	@echo "Installing the development tools into $(VENV) (once) ..."
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "error: nomad-operator needs Python 3.11 or newer, and no such python3 was found" >&2; \
		echo "hint: install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: nomad-operator needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) --version 2>&1`" >&2; \
		echo "hint: name a newer one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "error: $(PYTHON) could not make a virtual environment in $(VENV)" >&2; \
		echo "hint: on Debian and Ubuntu, install the package python3-venv (or python3.X-venv)" >&2; exit 1; }
	@touch $@
