# Every target does its own set-up. Python >= 3.10, make and a network with PyPI are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SETUP_FILES := setup.cfg pyproject.toml constraints.txt requirements.txt packaging/dlib/pyproject.toml
VIDEO ?= demo/sample.mp4
FER ?= fer2013_ferplus.npz
CHECK_PYTHON ?= $(PYTHON)
# Which tests: make pytest TESTS=tests/media
TESTS ?=
COVERAGE ?= --cov --cov-report=term

.DEFAULT_GOAL := help
.PHONY: help install demo test lint types contracts pytest docs install-check install-check-lowest bench card clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(INSTALLED) ## make .venv with the tested versions of everything

# Redone only when one of the files that decide what is installed changes.
$(INSTALLED): $(SETUP_FILES)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("fercli needs Python 3.10 or newer, this is " \
		+ sys.version.split()[0] + "; try: make PYTHON=python3.12 ...")'
	@echo "setting up $(VENV): this downloads a lot the first time"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off -r requirements.txt -e '.[dev]'
# It requires opencv-python, which would take the place of opencv-python-headless.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off --no-deps trackers==2.6.1
	@touch $@

demo: demo/sample.mp4 ## annotate a short real video and print a summary
	$(BIN)/fercli annotate demo/sample.mp4 -o demo/sample.json
	@echo "video        demo/sample.mp4"

demo/sample.mp4: examples/make_sample.py $(INSTALLED)
	@mkdir -p demo
	$(BIN)/python examples/make_sample.py demo/sample.mp4 --truth demo/sample-truth.json

# The types use one core, so they are checked beside the tests.
test: lint ## linters, types, import contracts and all tests
	@$(MAKE) --no-print-directory -j3 types contracts pytest

lint: $(INSTALLED) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## mypy, strict, over package and tests
	$(BIN)/mypy

contracts: $(INSTALLED) ## who may import whom
	$(BIN)/lint-imports

# Fast and slow tests run side by side, or two cores would take as long as one. Tracing costs two fifths of the processor
# time, so the slow tests go without. `make COVERAGE= pytest`: none.
pytest: $(INSTALLED) ## all tests; the fast ones print their coverage, which has a floor
	@$(BIN)/python -m pytest -q -m slow $(TESTS) >.slow-tests.log 2>&1 & slow=$$!; \
	$(BIN)/python -m pytest -q -m "not slow" $(COVERAGE) $(TESTS); fast=$$?; \
	wait $$slow; slow=$$?; cat .slow-tests.log; exit $$((fast ? fast : slow))

docs: $(INSTALLED) ## the documentation site, in site/
	$(BIN)/typer fercli.cli.app utils docs --name fercli --title Commands --output docs/reference/commands.md
	$(BIN)/zensical build --strict --clean

install-check: $(INSTALLED) ## the wheel in a fresh environment, newest versions of everything (CHECK_PYTHON=...)
	$(BIN)/python packaging/install_check.py --python $(CHECK_PYTHON)

install-check-lowest: $(INSTALLED) ## the same with the lowest versions that the metadata allow
	$(BIN)/python packaging/install_check.py --python $(CHECK_PYTHON) --lowest

bench: demo/sample.mp4 ## speed and memory on VIDEO=..., by default the demo's
	$(BIN)/python benchmarks/throughput.py $(VIDEO)

card: $(INSTALLED) ## docs/card.md and its pictures for the default network, from FER=fer2013_ferplus.npz (an hour)
	$(BIN)/python benchmarks/card.py $(FER)

clean: ## remove all that was made here
	rm -rf $(VENV) .slow-tests.log demo site docs/reference/commands.md build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find fercli tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
