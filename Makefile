# Every target builds its own .venv; nothing needs to be installed by hand but Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
DEMO_REPORT ?= demo-report
TEST_WORKERS ?= 2

.PHONY: demo test bench lint docs audit clean

demo: $(VENV)/.package
	$(BIN)/tuneshift demo --out $(DEMO_REPORT)

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

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

# For information, never a reason to fail: known vulnerabilities of what is installed, and a bill of materials.
audit: $(VENV)/.audit
	mkdir -p artefacts
	-timeout 120 $(BIN)/pip-audit --progress-spinner off --skip-editable > artefacts/vulnerabilities.txt 2>&1 \
	  || echo "audit: vulnerabilities were found, or nobody could be asked; see artefacts/vulnerabilities.txt"
	-timeout 120 $(BIN)/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-format JSON \
	  --output-file artefacts/bill_of_materials.cdx.json 2> artefacts/bill_of_materials.log \
	  || echo "audit: no bill of materials was written; see artefacts/bill_of_materials.log"

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

$(VENV)/.audit: $(VENV)/.package
	$(PIP) -e '.[audit]'
	touch $@

clean:
	rm -rf $(VENV) $(DEMO_REPORT) build dist site
