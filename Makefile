# Every target builds its own .venv; nothing needs to be installed by hand but Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
DEMO_REPORT ?= demo-report

.PHONY: demo test bench lint docs clean

demo: $(VENV)/.package
	$(BIN)/tuneshift demo --out $(DEMO_REPORT)

test: $(VENV)/.test
	$(BIN)/python -m pytest

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# A page that is missing, a link or an anchor that leads nowhere, is an error. (The variable silences the theme's notice
# about its own future, which is no fault of a page.)
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# One stamp file an extra: a changed pyproject.toml or constraints.txt installs again, nothing else does.
$(VENV)/.package: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	touch $@

$(VENV)/.test: $(VENV)/.package
	$(PIP) -e '.[test]'
	touch $@

$(VENV)/.bench: $(VENV)/.package
	$(PIP) -e '.[bench]'
	touch $@

$(VENV)/.lint: $(VENV)/.package
	$(PIP) -e '.[lint]'
	touch $@

$(VENV)/.docs: $(VENV)/.package
	$(PIP) -e '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) $(DEMO_REPORT) build dist site
